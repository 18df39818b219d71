import { parseMomentMs } from '../../config/moment.js'
import { inRange, parseRange, parseVersion } from '../../config/version.js'
import type { PolicyPairing } from '../policy/schema.js'
import type { RunPredicate } from '../statement/types.js'
import { againstCertificate } from './decisions.js'
import type { Record } from './read.js'
import { type RecordView, viewOf } from './view.js'
import { certifiedPairing, isWarranted } from './warranted.js'

/**
 * How a pairing stands. `expired` and `historic` were certified once: what is historic is true still, and its vendors
 * support it no longer. `not certified` was decided, and did not come to it.
 */
export type State = 'certified' | 'self-attested' | 'expired' | 'historic' | 'revoked' | 'not certified'

/** One pairing of a record. */
export interface Standing {
  readonly pairing: string
  readonly title: string
  readonly state: State
  readonly number: string | null
  readonly validUntil: string | null
  /** What stands against it, or what the last decision lacked. */
  readonly why: readonly string[]
  readonly certificate: RecordView['certificates'][number] | null
  readonly runs: readonly RunPredicate[]
}

/** How every pairing that a record decided about stands at a time. */
export function standingsOf(record: Record, nowMs: number): readonly Standing[] {
  const view = viewOf(record)
  const names = [...new Set(view.decisions.map(({ predicate }) => predicate.guestcert.pairing))].sort()
  return names.map(pairing => standingOf(pairing, { record, view, nowMs }))
}

function standingOf(
  pairing: string,
  { record, view, nowMs }: { readonly record: Record; readonly view: RecordView; readonly nowMs: number },
): Standing {
  const made = view.certificates.filter(
    one =>
      one.predicate.pairing === pairing &&
      Date.parse(one.predicate.at) <= nowMs &&
      isWarranted(one, view, record),
  )
  const certificate = made.at(-1) ?? null
  const decision = view.decisions.findLast(({ predicate }) => predicate.guestcert.pairing === pairing)
  const runs = view.runs
    .filter(({ entry }) => (certificate?.predicate.runs ?? decision?.entry.cites ?? []).includes(entry.leaf))
    .map(({ predicate }) => predicate)
  if (certificate === null) {
    const why = decision?.predicate.guestcert.reasons.map(({ text }) => text) ?? []
    const missing = why.length > 0 ? why : ['not every party that the policy asks for has decided so']
    return {
      pairing,
      title: pairing,
      state: 'not certified',
      number: null,
      validUntil: null,
      why: missing,
      certificate,
      runs,
    }
  }
  const { title, number, validUntil, level } = certificate.predicate
  const against = againstCertificate(view, record, certificate)
  const ended = endedSupport(certifiedPairing(certificate.predicate, record), nowMs)
  const lasts = Date.parse(validUntil) > nowMs
  const state: State = against !== null ? 'revoked' : ended !== null ? 'historic' : lasts ? level : 'expired'
  return {
    pairing,
    title,
    state,
    number,
    validUntil,
    why: [against, ended].filter(text => text !== null),
    certificate,
    runs,
  }
}

/** Whose support has ended, in words; `null` while both last. */
function endedSupport(pairing: PolicyPairing | undefined, nowMs: number): string | null {
  const ended = Object.entries(pairing?.supportEnds ?? {}).filter(
    ([, end]) => (parseMomentMs(end ?? '') ?? Number.POSITIVE_INFINITY) <= nowMs,
  )
  return ended.length === 0
    ? null
    : `support has ended: ${ended.map(([whose, end]) => `that of the ${whose} on ${end}`).join(', ')}`
}

/** Facts of a guest and its host, as a customer has them. */
export interface CustomerFacts {
  readonly guest: Readonly<{ readonly [name: string]: string }>
  readonly host: Readonly<{ readonly [name: string]: string }>
}

/** Whether a certificate covers a customer's machines, and where these differ from the certified ones. */
export interface Coverage {
  readonly state: 'covered' | 'carried forward' | 'not covered'
  readonly differences: readonly {
    readonly name: string
    readonly certified: string
    readonly found: string
  }[]
}

/** Facts that only describe: another value of them is another machine of the same kind. */
const incidental: ReadonlySet<string> = new Set([
  'memory',
  'vm memory',
  'vm vcpus',
  'image digest',
  'image recipe',
  'dmi.bios',
  'host cpu',
  'host firmware',
  'clocksource',
  'vm cpu',
])

/** Compares a customer's facts with those that were certified. Another kernel or build voids nothing: it is not covered. */
export function coverageOf(run: RunPredicate, facts: CustomerFacts, carry: 'none' | 'minor'): Coverage {
  const { guestFacts, hostFacts } = run.observed
  const differences = [...differ(guestFacts, facts.guest, ''), ...differ(hostFacts, facts.host, 'host: ')]
  const real = differences.filter(({ name }) => !incidental.has(name.replace(/^host: /, '')))
  const carried = carry === 'minor' && real.every(({ certified, found }) => isLaterMinor(certified, found))
  return { state: real.length === 0 ? 'covered' : carried ? 'carried forward' : 'not covered', differences }
}

function differ(
  certified: CustomerFacts['guest'],
  found: CustomerFacts['guest'],
  prefix: string,
): { name: string; certified: string; found: string }[] {
  return Object.entries(found).flatMap(([name, value]) => {
    const before = certified[name]
    return before === undefined || before === value
      ? []
      : [{ name: `${prefix}${name}`, certified: before, found: value }]
  })
}

/** The same text but for versions, whose first numbers are the same and whose rest is later. */
function isLaterMinor(certified: string, found: string): boolean {
  const version = /\d+(?:\.\d+)*/
  const [before, after] = [version.exec(certified)?.[0], version.exec(found)?.[0]]
  if (before === undefined || after === undefined) return false
  const [major = ''] = before.split('.')
  const [lower, later] = [parseRange(`>=${before}`), parseVersion(after)]
  const sameKind = certified.replace(/[\d.\-+~]+.*$/, '') === found.replace(/[\d.\-+~]+.*$/, '')
  return (
    sameKind && after.split('.')[0] === major && lower !== null && later !== null && inRange(later, lower)
  )
}
