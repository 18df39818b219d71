import { parseSizeBytes } from '../../config/units.js'
import { inRange, parseRange, parseVersion } from '../../config/version.js'
import type { Pairing, Product } from '../statement/types.js'
import type { Policy, PolicyPairing } from './schema.js'

/** The pairing of a policy that an observed one belongs to; `undefined` when the policy knows none. */
export function pairingIn(policy: Policy, pairing: Pairing): PolicyPairing | undefined {
  return policy.pairings.find(one => isAbout(one, pairing) && mismatches(one, pairing).length === 0)
}

/** Whether guest and hypervisor are those of a policy's pairing, whatever the virtual hardware is. */
export function isAbout(wanted: PolicyPairing, { guest, hypervisor }: Pairing): boolean {
  return (
    isProduct(wanted.guest, guest) &&
    wanted.guest.arch === guest.arch &&
    (wanted.guest.edition === undefined || wanted.guest.edition === guest.edition) &&
    isProduct(wanted.hypervisor, hypervisor)
  )
}

function isProduct(wanted: Product, found: Product): boolean {
  const [range, version] = [parseRange(wanted.version), parseVersion(found.version)]
  return wanted.product === found.product && range !== null && version !== null && inRange(version, range)
}

/** What of the virtual hardware is not as the policy's pairing wants it, in words. */
export function mismatches({ configuration = {} }: PolicyPairing, pairing: Pairing): string[] {
  return Object.entries(configuration).flatMap(([key, wanted]) => {
    const name = key === 'memory' ? 'memoryBytes' : key
    const found = pairing.configuration[name]
    if (found === undefined) return [`its ${key} is not known`]
    return fits(wanted, found) ? [] : [`its ${key} is ${found}`]
  })
}

function fits(wanted: unknown, found: string | number): boolean {
  if (Array.isArray(wanted)) return wanted.some(one => fits(one, found))
  if (typeof wanted === 'object' && wanted !== null) {
    const { least, most } = wanted as { readonly least: string | number; readonly most: string | number }
    return Number(found) >= amount(least) && Number(found) <= amount(most)
  }
  const bytes = parseSizeBytes(String(wanted))
  if (bytes !== null) return bytes === Number(found)
  return String(found) === String(wanted) || String(found).split('-').includes(String(wanted))
}

/** A number, or the bytes of a size. */
function amount(value: string | number): number {
  return typeof value === 'number' ? value : (parseSizeBytes(value) ?? Number.NaN)
}

/** The sizes at which a pairing with a range must have passed: at its least and at its most. */
export function corners({
  configuration = {},
}: PolicyPairing): readonly { readonly key: 'vcpus' | 'memoryBytes'; readonly value: number }[] {
  const ends = (
    key: 'vcpus' | 'memoryBytes',
    wanted: unknown,
  ): { key: 'vcpus' | 'memoryBytes'; value: number }[] =>
    typeof wanted === 'object' && wanted !== null
      ? Object.values(wanted as Record<string, string | number>).map(value => ({ key, value: amount(value) }))
      : []
  return [...ends('vcpus', configuration.vcpus), ...ends('memoryBytes', configuration.memory)]
}
