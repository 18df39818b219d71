import { type Waiver, waiversSchema } from '../../waivers/schema.js'
import { testReasons } from '../decision/test-reasons.js'
import type { Case, DecisionInput, Kit, Registration, RowItem } from '../decision/types.js'
import { corners, isAbout, mismatches } from '../policy/match.js'
import type { Policy, PolicyPairing } from '../policy/schema.js'
import type { RunPredicate } from '../statement/types.js'
import { cosignersOf } from './heads.js'
import type { Record } from './read.js'
import { type Known, type RecordView, saidAgainst, viewOf } from './view.js'

/** What a decision about a pairing of a record depends on. */
export interface CaseRequest {
  readonly record: Record
  readonly policy: Policy
  readonly pairing: PolicyPairing
  readonly kit: Kit
  readonly nowMs: number
}

/** All that a record says of a policy's pairing: its newest run, or one for each size where the policy asks for several. */
export async function casesOf(request: CaseRequest): Promise<DecisionInput> {
  const { record, policy, pairing, kit, nowMs } = request
  const view = viewOf(record)
  const waivers = waiversIn(view, policy.waivers.owner)
  // An answer to a challenge runs the sample alone: what it answers is decided, and not the answer.
  const fitting = view.runs.filter(
    ({ entry, predicate }) => isAbout(pairing, predicate.pairing) && sampleOf(entry.leaf, view) === null,
  )
  const chosen = choose(fitting, pairing)
  const base = { policy, pairing, kit, waivers, nowMs }
  const cases: Case[] = []
  for (const run of chosen) cases.push(await caseOf(run, { ...request, view }, { ...base, cases: [] }))
  return { ...base, cases }
}

/** The newest run; of a range, the newest of each configuration. The one that a wish would choose is never asked for. */
function choose(
  runs: readonly Known<RunPredicate>[],
  pairing: PolicyPairing,
): readonly Known<RunPredicate>[] {
  const fitting = runs.filter(({ predicate }) => mismatches(pairing, predicate.pairing).length === 0)
  const newest = (fitting.length > 0 ? fitting : runs).slice(-1)
  if (corners(pairing).length === 0) return newest
  const bySize = new Map(fitting.map(run => [sizeOf(run.predicate), run]))
  return bySize.size === 0 ? newest : [...bySize.values()]
}

function sizeOf({ pairing: { configuration } }: RunPredicate): string {
  return `${configuration.vcpus} ${configuration.memoryBytes}`
}

async function caseOf(
  run: Known<RunPredicate>,
  { record, view }: CaseRequest & { readonly view: RecordView },
  base: DecisionInput,
): Promise<Case> {
  const { entry, predicate } = run
  const registration = await registrationOf(run, record, view)
  return {
    object: entry.digest,
    run: predicate,
    signers: entry.signers,
    registration,
    row: rowOf(view, base),
    reproducedBy: reproducersOf(run, view, base),
    rejected: saidAgainst(view, entry),
    manual: new Map(
      view.manual.flatMap(({ entry: answer, predicate: { id, answer: said, by } }) =>
        answer.cites.includes(entry.leaf) && said === 'yes' && answer.signers.length > 0 ? [[id, by]] : [],
      ),
    ),
  }
}

async function registrationOf(
  { entry, predicate }: Known<RunPredicate>,
  record: Record,
  view: RecordView,
): Promise<Registration | null> {
  const found = view.registrations.find(one => one.entry.leaf === predicate.registration)
  if (found === undefined || found.entry.index > entry.index) return null
  const { at, planDigest, harnessDigest } = found.predicate
  const party =
    found.entry.signers.find(({ roles }) => roles.includes('lab'))?.party ?? 'nobody who is trusted'
  const cosigners = await cosignersOf(record, found.entry.index, entry.index)
  return { leaf: found.entry.leaf, at, planDigest, harnessDigest, party, cosigners }
}

/**
 * How all registered runs of the pairing ended, the oldest first. One that was not added yet is open; one that answers a
 * challenge is judged by the sample.
 */
function rowOf(view: RecordView, base: DecisionInput): readonly RowItem[] {
  const { pairing } = base
  return view.registrations
    .filter(({ predicate }) =>
      predicate.pairings.some(({ guest, hypervisor }) =>
        isAbout(pairing, {
          guest: { edition: pairing.guest.edition ?? null, ...guest },
          hypervisor,
          configuration: {},
        }),
      ),
    )
    .map(({ entry }): RowItem => {
      const runs = view.runs.filter(
        ({ predicate }) => predicate.registration === entry.leaf && isAbout(pairing, predicate.pairing),
      )
      if (runs.length === 0) return 'open'
      const areGood = runs.every(run => {
        const sample = sampleOf(run.entry.leaf, view)
        return sample === null ? hasPassed(run.predicate, base) : passes(run.predicate, sample, base.kit)
      })
      return areGood ? 'passed' : 'failed'
    })
}

/** The tests of the challenge that a run was added as the answer to; `null` for any other run. */
function sampleOf(run: string, view: RecordView): readonly string[] | null {
  const answer = view.answers.find(({ entry }) => entry.cites.includes(run))
  const challenge = view.challenges.find(({ entry }) => answer?.entry.cites.includes(entry.leaf) === true)
  return challenge?.predicate.tests ?? null
}

/** Whether each of these tests of the kit was seen to pass. */
function passes({ tests, closedAt }: RunPredicate, sample: readonly string[], kit: Kit): boolean {
  const isPassed = (id: string): boolean =>
    tests.some(
      test =>
        test.id === id &&
        test.verdict === 'pass' &&
        kit.suites[test.suite]?.includes(test.suiteDigest) === true,
    )
  return closedAt !== null && sample.length > 0 && sample.every(isPassed)
}

function hasPassed(run: RunPredicate, base: DecisionInput): boolean {
  const bare: Case = {
    object: '',
    run,
    signers: [],
    registration: null,
    row: [],
    reproducedBy: [],
    rejected: null,
    manual: new Map(),
  }
  const pairing = { ...base.pairing, manual: [] }
  return run.closedAt !== null && testReasons(bare, { ...base, pairing }).reasons.length === 0
}

/** Parties beside the one that signed the run: those with a run of their own, and those whose challenge was answered. */
function reproducersOf(run: Known<RunPredicate>, view: RecordView, base: DecisionInput): readonly string[] {
  const submitters = new Set(run.entry.signers.map(({ party }) => party))
  const others = view.runs.filter(
    ({ entry, predicate }) =>
      isAbout(base.pairing, predicate.pairing) &&
      !entry.signers.some(({ party }) => submitters.has(party)) &&
      view.registrations.some(one => one.entry.leaf === predicate.registration) &&
      hasPassed(predicate, base),
  )
  const own = others.flatMap(({ entry }) => entry.signers.filter(({ roles }) => roles.includes('lab')))
  const challengers = view.challenges.flatMap(challenge => {
    const { entry } = challenge
    const by = entry.signers.find(({ party, roles }) => roles.includes('reviewer') && !submitters.has(party))
    const isAbove = entry.cites.includes(run.entry.leaf) && entry.index > run.entry.index
    return by !== undefined && isAbove && isAnswered(challenge, run, view, base) ? [by] : []
  })
  return [...new Set([...own, ...challengers].map(({ party }) => party))]
}

/** Whether a run that was registered after the challenge passed every test of its sample. */
function isAnswered(
  challenge: RecordView['challenges'][number],
  run: Known<RunPredicate>,
  view: RecordView,
  base: DecisionInput,
): boolean {
  const answers = view.answers.filter(({ entry }) => entry.cites.includes(challenge.entry.leaf))
  return view.runs.some(({ entry, predicate }) => {
    const registration = view.registrations.find(one => one.entry.leaf === predicate.registration)
    return (
      answers.some(answer => answer.entry.cites.includes(entry.leaf)) &&
      entry.leaf !== run.entry.leaf &&
      entry.signers.some(({ roles }) => roles.includes('lab')) &&
      registration !== undefined &&
      registration.entry.index > challenge.entry.index &&
      isAbout(base.pairing, predicate.pairing) &&
      passes(predicate, challenge.predicate.tests, base.kit)
    )
  })
}

/** Waivers count that a key of the policy's owner has signed: who is typed in as the approver says nothing. */
function waiversIn({ waivers }: RecordView, owner: string): readonly Waiver[] {
  return waivers.flatMap(({ entry, predicate }) => {
    const isOwner = entry.signers.some(
      ({ party, roles }) => party === owner && roles.includes('policy-owner'),
    )
    const parsed = waiversSchema.safeParse({ waivers: predicate.waivers })
    return isOwner && parsed.success ? parsed.data.waivers : []
  })
}
