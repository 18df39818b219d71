import type { Configuration, Guest, Host } from '../config/model.js'
import type { AppliesFile } from '../config/suite-schema.js'
import { inRange, parseRange, parseVersion } from '../config/version.js'
import type { LeftOutReason } from './types.js'

type GuestMatch = Extract<NonNullable<AppliesFile['guest']>, { family?: unknown }>
type HypervisorMatch = Extract<NonNullable<AppliesFile['hypervisor']>, { product?: unknown }>

/** What a suite or a test is held against. */
export interface Pairing {
  readonly guest: Guest
  readonly host: Pick<Host, 'product' | 'version' | 'driver'>
  readonly configuration: Configuration
}

/**
 * Why something does not apply to a pairing, or `null` when it does. A configuration that does not say what is asked of
 * it excuses nothing: whether the test applies is not known.
 */
export function whyNot(
  applies: AppliesFile | null,
  { guest, host, configuration }: Pairing,
): LeftOutReason | null {
  if (applies === null) {
    return null
  }
  const { configuration: wanted = {} } = applies
  const mismatch =
    anyOf(applies.guest, match => guestMismatch(match, guest)) ??
    anyOf(applies.hypervisor, match => hypervisorMismatch(match, host)) ??
    configurationMismatch(wanted, configuration)
  if (mismatch !== null) {
    return { kind: 'not-applicable', why: mismatch }
  }
  const unsaid = whatIsUnsaid(Object.keys(wanted), configuration)
  return unsaid === null ? null : { kind: 'unable', why: unsaid }
}

/** Says which of the keys a configuration lacks, or `null`. */
export function whatIsUnsaid(keys: readonly string[], configuration: Configuration): string | null {
  const unsaid = keys.find(key => configurationValue(configuration, key) === undefined)
  return unsaid === undefined ? null : `the configuration does not say its ${unsaid}`
}

function anyOf<T>(
  matches: T | readonly T[] | undefined,
  mismatch: (match: T) => string | null,
): string | null {
  if (matches === undefined) {
    return null
  }
  const list: readonly T[] = Array.isArray(matches) ? matches : [matches as T]
  const reasons = list.map(mismatch)
  return reasons.includes(null) ? null : [...new Set(reasons)].join('; ')
}

function guestMismatch(match: GuestMatch, guest: Guest): string | null {
  return (
    notAmong('guest family', match.family, guest.family) ??
    notAmong('guest product', match.product, guest.product) ??
    outside('guest version', match.version, guest.version) ??
    notAmong('guest architecture', match.arch, guest.arch) ??
    notAmong('guest shell', match.shell, guest.shell)
  )
}

function hypervisorMismatch(match: HypervisorMatch, host: Pairing['host']): string | null {
  const excluded: readonly string[] = typeof match.not === 'string' ? [match.not] : (match.not ?? [])
  return (
    (excluded.includes(host.product) ? `hypervisor product is ${host.product}` : null) ??
    notAmong('hypervisor product', match.product, host.product) ??
    outside('hypervisor version', match.version, host.version)
  )
}

function configurationMismatch(
  wanted: NonNullable<AppliesFile['configuration']>,
  configuration: Configuration,
): string | null {
  for (const [key, values] of Object.entries(wanted)) {
    const actual = configurationValue(configuration, key)
    const mismatch =
      actual === undefined ? null : notAmong(key, values?.toString().split(','), String(actual))
    if (mismatch !== null) {
      return mismatch
    }
  }
  return null
}

/** A configuration's value by the key that lab files use. */
function configurationValue(configuration: Configuration, key: string): string | number | undefined {
  const field = key === 'memory' ? 'memoryBytes' : key
  return Object.entries(configuration).find(([name]) => name === field)?.[1]
}

function notAmong(
  what: string,
  wanted: string | readonly string[] | undefined,
  actual: string,
): string | null {
  if (wanted === undefined) {
    return null
  }
  const list = typeof wanted === 'string' ? [wanted] : wanted
  return list.includes(actual) ? null : `${what} is ${actual}, not ${list.join(' or ')}`
}

function outside(what: string, wanted: string | undefined, actual: string): string | null {
  const range = wanted === undefined ? null : parseRange(wanted)
  const version = parseVersion(actual)
  if (range === null || version === null || inRange(version, range)) {
    return null
  }
  return `${what} is ${actual}, not ${range.text}`
}
