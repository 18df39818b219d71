import { runReasons } from '../decision/run-reasons.js'
import { isOfKit, testReasons } from '../decision/test-reasons.js'
import type { Case, DecisionInput, Kit, Reason, Registration } from '../decision/types.js'
import { isAbout } from '../policy/match.js'
import type { RunPredicate } from '../statement/types.js'
import { type Known, type RecordView, saidAgainst } from './view.js'

/** A recorded run with the registration that it names. */
export interface RegisteredRun extends Known<RunPredicate> {
  readonly registration: Registration | null
}

/**
 * The tests of the challenge that a run answers; `null` for any other run. Whoever challenges is another party, and a run
 * in which anything else failed is not an answer: a run that failed cannot be put away as one.
 */
export function sampleOf(run: Known<RunPredicate>, view: RecordView): readonly string[] | null {
  const submitters = new Set(run.entry.signers.map(({ party }) => party))
  const cited = view.answers
    .filter(({ entry }) => entry.cites.includes(run.entry.leaf) && hasRole(entry.signers, 'lab'))
    .flatMap(({ entry }) => entry.cites)
  const challenge = view.challenges.find(
    ({ entry }) =>
      cited.includes(entry.leaf) &&
      entry.signers.some(({ party, roles }) => roles.includes('reviewer') && !submitters.has(party)),
  )
  const sample = challenge?.predicate.tests ?? null
  const isAlone = run.predicate.tests.every(
    ({ id, verdict }) => sample?.includes(id) === true || verdict === 'pass' || verdict === 'skip',
  )
  return isAlone ? sample : null
}

/** Whether each of these tests of the kit was seen to pass. */
export function passes({ tests, closedAt }: RunPredicate, sample: readonly string[], kit: Kit): boolean {
  const isPassed = (id: string): boolean =>
    tests.some(test => test.id === id && test.verdict === 'pass' && isOfKit(test, kit))
  return closedAt !== null && sample.length > 0 && sample.every(isPassed)
}

/** Whether a run passed all that the pairing requires, by itself. */
export function hasPassed({ predicate: run }: Known<RunPredicate>, base: DecisionInput): boolean {
  const pairing = { ...base.pairing, manual: [] }
  return run.closedAt !== null && testReasons(bare(run), { ...base, pairing }).reasons.length === 0
}

/** What stands against a run as a whole, whatever its tests came to: what is emulated, say, reproduces nothing either. */
export function objectionsTo(
  { entry, predicate, registration }: RegisteredRun,
  view: RecordView,
  base: DecisionInput,
): readonly Reason[] {
  const rejected = saidAgainst(view, entry)
  return runReasons({ ...bare(predicate), signers: entry.signers, registration, rejected }, base)
}

/** Parties beside the one that signed the run: those with a run of their own, and those whose challenge was answered. */
export function reproducersOf(
  run: RegisteredRun,
  runs: readonly RegisteredRun[],
  view: RecordView,
  base: DecisionInput,
): readonly string[] {
  const submitters = new Set(run.entry.signers.map(({ party }) => party))
  const others = runs.filter(
    other =>
      isAbout(base.pairing, other.predicate.pairing) &&
      !other.entry.signers.some(({ party }) => submitters.has(party)) &&
      other.registration !== null &&
      objectionsTo(other, view, base).length === 0 &&
      hasPassed(other, base),
  )
  const own = others.flatMap(({ entry }) => entry.signers.filter(({ roles }) => roles.includes('lab')))
  const challengers = view.challenges.flatMap(challenge => {
    const { entry } = challenge
    const by = entry.signers.find(({ party, roles }) => roles.includes('reviewer') && !submitters.has(party))
    const isAbove = entry.cites.includes(run.entry.leaf) && entry.index > run.entry.index
    const isAnswered = answersOf(challenge, view).some(
      leaf =>
        leaf !== run.entry.leaf &&
        runs.some(one => one.entry.leaf === leaf && reproduces(one, challenge, view, base)),
    )
    return by !== undefined && isAbove && isAnswered ? [by] : []
  })
  return [...new Set([...own, ...challengers].map(({ party }) => party))]
}

function answersOf({ entry }: RecordView['challenges'][number], view: RecordView): readonly string[] {
  return view.answers.flatMap(answer => (answer.entry.cites.includes(entry.leaf) ? answer.entry.cites : []))
}

/** Whether a run that was registered after the challenge passed every test of its sample. */
function reproduces(
  run: RegisteredRun,
  challenge: RecordView['challenges'][number],
  view: RecordView,
  base: DecisionInput,
): boolean {
  const registered = view.registrations.find(({ entry }) => entry.leaf === run.registration?.leaf)
  return (
    registered !== undefined &&
    registered.entry.index > challenge.entry.index &&
    isAbout(base.pairing, run.predicate.pairing) &&
    objectionsTo(run, view, base).length === 0 &&
    passes(run.predicate, challenge.predicate.tests, base.kit)
  )
}

function bare(run: RunPredicate): Case {
  return {
    object: '',
    run,
    signers: [],
    registration: null,
    row: [],
    reproducedBy: [],
    rejected: null,
    manual: new Map(),
  }
}

function hasRole(signers: Known<RunPredicate>['entry']['signers'], role: 'lab' | 'reviewer'): boolean {
  return signers.some(({ roles }) => roles.includes(role))
}
