import { type Waiver, waiversSchema } from '../../waivers/schema.js'
import type { Case, DecisionInput, Kit, Registration, RowItem } from '../decision/types.js'
import { corners, isAbout, mismatches } from '../policy/match.js'
import type { Policy, PolicyPairing } from '../policy/schema.js'
import type { RunPredicate } from '../statement/types.js'
import type { ManualPredicate } from './entries.js'
import { cosignersOf } from './heads.js'
import type { Record } from './read.js'
import {
  hasPassed,
  objectionsTo,
  passes,
  type RegisteredRun,
  reproducersOf,
  sampleOf,
} from './reproduction.js'
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
  const runs: RegisteredRun[] = []
  for (const run of view.runs.filter(({ predicate }) => isAbout(pairing, predicate.pairing))) {
    runs.push({ ...run, registration: await registrationOf(run, record, view) })
  }
  const fitting = runs.filter(run => sampleOf(run, view) === null)
  const base = { policy, pairing, kit, waivers, nowMs }
  const cases = choose(fitting, pairing).map(run => caseOf(run, runs, view, { ...base, cases: [] }))
  return { ...base, cases }
}

/** The newest run; of a range, the newest of each configuration. The one that a wish would choose is never asked for. */
function choose(runs: readonly RegisteredRun[], pairing: PolicyPairing): readonly RegisteredRun[] {
  const fitting = runs.filter(({ predicate }) => mismatches(pairing, predicate.pairing).length === 0)
  const newest = (fitting.length > 0 ? fitting : runs).slice(-1)
  if (corners(pairing).length === 0) return newest
  const bySize = new Map(fitting.map(run => [sizeOf(run.predicate), run]))
  return bySize.size === 0 ? newest : [...bySize.values()]
}

function sizeOf({ pairing: { configuration } }: RunPredicate): string {
  return `${configuration.vcpus} ${configuration.memoryBytes}`
}

function caseOf(
  run: RegisteredRun,
  runs: readonly RegisteredRun[],
  view: RecordView,
  base: DecisionInput,
): Case {
  const { entry, predicate, registration } = run
  return {
    object: entry.digest,
    run: predicate,
    signers: entry.signers,
    registration,
    row: rowOf(runs, view, base),
    reproducedBy: reproducersOf(run, runs, view, base),
    rejected: saidAgainst(view, entry),
    manual: new Map(
      // The last answer counts: a later "no" takes back a "yes".
      [...lastAnswers(entry.leaf, view)].flatMap(([id, { answer, by }]) =>
        answer === 'yes' ? [[id, by]] : [],
      ),
    ),
  }
}

function lastAnswers(leaf: string, { manual }: RecordView): ReadonlyMap<string, ManualPredicate> {
  const valid = manual.filter(({ entry }) => entry.cites.includes(leaf) && entry.signers.length > 0)
  return new Map(valid.map(({ predicate }) => [predicate.id, predicate]))
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
function rowOf(runs: readonly RegisteredRun[], view: RecordView, base: DecisionInput): readonly RowItem[] {
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
      const own = runs.filter(({ predicate }) => predicate.registration === entry.leaf)
      if (own.length === 0) return 'open'
      const areGood = own.every(run => {
        const sample = sampleOf(run, view)
        const passed = sample === null ? hasPassed(run, base) : passes(run.predicate, sample, base.kit)
        return passed && objectionsTo(run, view, base).every(({ code }) => ofTheNewest.has(code))
      })
      return areGood ? 'passed' : 'failed'
    })
}

/** What only the run that is decided must be: runs before it may be older, and of another size. */
const ofTheNewest: ReadonlySet<string> = new Set(['age', 'kit-validity', 'not-cosigned', 'configuration'])

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
