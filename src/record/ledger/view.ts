import { z } from 'zod'
import { id } from '../../config/scalars.js'
import { predicates, type RunPredicate } from '../statement/types.js'
import type {
  CertificatePredicate,
  ChallengePredicate,
  DecisionPredicate,
  ManualPredicate,
  RegistrationPredicate,
  RemarkPredicate,
} from './entries.js'
import type { Entry, Record } from './read.js'

/** An entry whose predicate is known. */
export interface Known<P> {
  readonly entry: Entry
  readonly predicate: P
}

/** A record's entries by what they say. */
export interface RecordView {
  readonly registrations: readonly Known<RegistrationPredicate>[]
  readonly runs: readonly Known<RunPredicate>[]
  readonly decisions: readonly Known<DecisionPredicate>[]
  readonly certificates: readonly Known<CertificatePredicate>[]
  readonly challenges: readonly Known<ChallengePredicate>[]
  readonly answers: readonly Known<RemarkPredicate>[]
  readonly manual: readonly Known<ManualPredicate>[]
  readonly waivers: readonly Known<{ readonly at: string; readonly waivers: readonly unknown[] }>[]
  /** Rejections and revocations, by the leaf that they cite. */
  readonly against: ReadonlyMap<string, readonly Known<RemarkPredicate>[]>
}

const word = z.string()
/** Pairings give their names to files. */
const named = z.looseObject({ pairing: id })
const product = z.looseObject({ product: word, version: word })

/** What a decision goes by: a predicate without it is none, whoever signed it, and stops nobody's decisions. */
const shapes: { readonly [kind: string]: z.ZodType } = {
  registration: z.looseObject({
    pairings: z.array(z.looseObject({ guest: product, hypervisor: product })),
  }),
  run: z.looseObject({
    run: word,
    harness: z.looseObject({}),
    pairing: z.looseObject({ guest: product, hypervisor: product, configuration: z.looseObject({}) }),
    observed: z.looseObject({ contradictions: z.array(word), varying: z.array(word) }),
    tests: z.array(z.looseObject({ id: word, suite: word, suiteDigest: word, verdict: word })),
    leftOut: z.array(z.looseObject({ test: word })),
  }),
  decision: z.looseObject({ guestcert: named }),
  certificate: named,
  challenge: z.looseObject({ tests: z.array(word) }),
}

/** Sorts a record's entries. What claims to be of a kind and has another predicate is none of it. */
export function viewOf({ entries }: Pick<Record, 'entries'>): RecordView {
  const of = <P>(kind: keyof typeof predicates): Known<P>[] =>
    entries
      .filter(
        ({ kind: said, statement: { predicateType, predicate } }) =>
          said === kind &&
          predicateType === predicates[kind] &&
          shapes[kind]?.safeParse(predicate).success !== false,
      )
      .map(entry => ({ entry, predicate: entry.statement.predicate as P }))
  const against = new Map<string, Known<RemarkPredicate>[]>()
  for (const remark of [...of<RemarkPredicate>('rejection'), ...of<RemarkPredicate>('revocation')]) {
    for (const leaf of remark.entry.cites) against.set(leaf, [...(against.get(leaf) ?? []), remark])
  }
  return {
    registrations: of('registration'),
    runs: of('run'),
    decisions: of('decision'),
    certificates: of('certificate'),
    challenges: of('challenge'),
    answers: of('answer'),
    manual: of('manual'),
    waivers: of('waiver'),
    against,
  }
}

/**
 * What was said against an entry by somebody who may: a reviewer or the policy's owner, or whoever signed it. `null`
 * where nothing was.
 */
export function saidAgainst(view: RecordView, entry: Entry): string | null {
  const own = new Set(entry.signers.map(({ party }) => party))
  for (const { entry: remark, predicate } of view.against.get(entry.leaf) ?? []) {
    const by = remark.signers.find(
      ({ party, roles }) =>
        own.has(party) || roles.some(role => role === 'reviewer' || role === 'policy-owner'),
    )
    if (by !== undefined) {
      return `${remark.kind === 'rejection' ? 'rejected' : 'revoked'} by ${by.party} on ${predicate.at.slice(0, 10)}: ${predicate.why}`
    }
  }
  return null
}
