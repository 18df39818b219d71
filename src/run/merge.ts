import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { Labels } from '../config/labels.js'
import { packageVersion } from '../config/package-root.js'
import { type JournalEvent, journalVersion, type ParentRun } from '../journal/events.js'
import { exitCodeOf } from '../journal/exit.js'
import { foldRun, otherPlan } from '../journal/fold.js'
import { journalFile } from '../journal/reader.js'
import type { RunState } from '../journal/state.js'
import { digestPlan } from '../plan/digest.js'
import type { Plan, PlannedEnvironment, Shard } from '../plan/types.js'

/** A run that is one part of a plan, as its folder tells it. */
export interface MergeParent {
  /** Absolute. */
  readonly folder: string
  readonly plan: Plan
  readonly events: readonly JournalEvent[]
  readonly state: RunState
}

/** What several runs come to as one. */
export interface Merged {
  readonly plan: Plan
  readonly events: readonly JournalEvent[]
  readonly state: RunState
}

type Part = MergeParent & { readonly name: string; readonly shard: Shard }

/**
 * Puts the parts of one plan together to a run of the whole plan. Every part must be there once, closed, and as it was
 * planned.
 *
 * @throws UsageError naming the first part that does not fit.
 */
export async function mergeRuns(
  parents: readonly MergeParent[],
  { run, labels }: { readonly run: string; readonly labels: Labels },
): Promise<Merged> {
  const parts = parents.map(partOf).sort((a, b) => a.shard.index - b.shard.index)
  const plan = wholePlan(parts)
  const all = { ...sharedLabels(parts), ...labels }
  const opened: JournalEvent = {
    v: journalVersion,
    seq: 1,
    // Before the first session of any part.
    epoch: 0,
    at: parts.flatMap(({ state }) => state.openedAt ?? []).sort()[0] ?? '',
    ms: 0,
    type: 'run-opened',
    run,
    planDigest: plan.digest,
    expected: plan.expected,
    lab: plan.lab,
    harness: [...new Set(parts.map(({ state }) => state.harness ?? `guestcert ${packageVersion()}`))].join(
      ', ',
    ),
    waiversDigest: null,
    ...(Object.keys(all).length === 0 ? {} : { labels: all }),
    parents: await Promise.all(parts.map(parentOf)),
  }
  const events = [opened, ...sessionsOf(parts)].map((event, at) => ({ ...event, seq: at + 1 }))
  const whole = [...events, closingOf(parts, plan, events)]
  return { plan, events: whole, state: foldRun(plan, whole) }
}

/** It adds no time to the last session of the parts. */
function closingOf(parts: readonly Part[], plan: Plan, events: readonly JournalEvent[]): JournalEvent {
  const state = foldRun(plan, events)
  const ends = parts.flatMap(({ state: { closed } }) => closed ?? [])
  const interrupted = ends.some(end => end.interrupted)
  const early = parts.flatMap(({ name, state: { closed } }) =>
    closed?.endedEarly === undefined ? [] : [`${name}: ${closed.endedEarly}`],
  )
  const { epoch = 0, at = '', ms = 0 } = events.at(-1) ?? {}
  return {
    v: journalVersion,
    seq: events.length + 1,
    epoch,
    at,
    ms,
    type: 'run-closed',
    counts: state.counts,
    flaky: state.flaky,
    // What could not be written down or trusted in a part cannot be in the whole.
    exitCode: exitCodeOf(state, { interrupted, broken: ends.some(({ exitCode }) => exitCode === 4) }),
    interrupted,
    ...(early.length === 0 ? {} : { endedEarly: early.join('; ') }),
  }
}

function partOf(parent: MergeParent): Part {
  const { folder, plan, state } = parent
  const name = state.run ?? basename(folder)
  if (plan.shard === undefined) {
    throw refused(`${name} is not part of a plan: it was not run with --shard`)
  }
  if (digestPlan(plan.environments) !== plan.digest || state.problems.includes(otherPlan)) {
    throw refused(`${name} has another plan in plan.json than in its journal`)
  }
  if (state.closed === null) {
    throw refused(`${name} is not closed: resume it first`)
  }
  return { ...parent, name, shard: plan.shard }
}

function wholePlan(parts: readonly Part[]): Plan {
  const [first] = parts
  if (first === undefined) {
    throw refused('there is nothing to merge')
  }
  for (const part of parts) {
    refuseOther(first, part)
  }
  const { of, whole } = first.shard
  for (let index = 1; index <= of; index += 1) {
    const [one, twin] = parts.filter(({ shard }) => shard.index === index)
    if (one === undefined) {
      throw refused(`part ${index}/${of} is missing`)
    }
    if (twin !== undefined) {
      throw refused(`${one.name} and ${twin.name} are both part ${index}/${of}`)
    }
  }
  const environments = placed(parts)
  if (parts.length !== of || digestPlan(environments) !== whole) {
    throw refused('the parts do not come to the whole plan that they name')
  }
  const { shard: _, ...plan } = first.plan
  const expected = environments.reduce((sum, { tests }) => sum + tests.length, 0)
  return { ...plan, digest: whole, expected, environments }
}

function refuseOther(first: Part, part: Part): void {
  const [a, b] = [first.shard, part.shard]
  if (part.plan.lab !== first.plan.lab || a.whole !== b.whole) {
    throw refused(`${first.name} and ${part.name} are parts of different plans`)
  }
  if (a.of !== b.of || a.durations !== b.durations) {
    const how = ({ of, durations }: Shard): string =>
      `${of} parts${durations === undefined ? '' : ` by the durations ${durations.slice(0, 12)}`}`
    throw refused(`${first.name} and ${part.name} split the plan in different ways: ${how(a)}, and ${how(b)}`)
  }
}

/** All environments, in the order of the whole plan. */
function placed(parts: readonly Part[]): PlannedEnvironment[] {
  const found = parts.flatMap(({ plan, shard }) =>
    plan.environments.map((environment, at) => ({ environment, position: shard.positions[at] ?? -1 })),
  )
  return found.sort((a, b) => a.position - b.position).map(({ environment }) => environment)
}

async function parentOf({ folder, name, plan, shard }: Part): Promise<ParentRun> {
  const content = await readFile(join(folder, journalFile))
  const journal = createHash('sha256').update(content).digest('hex')
  return { run: name, planDigest: plan.digest, journal, shard: `${shard.index}/${shard.of}` }
}

/** What all parts say alike; what they say otherwise stands in their own journals. */
function sharedLabels(parts: readonly Part[]): Labels {
  const [first, ...others] = parts.map(({ state }) => state.labels)
  return Object.fromEntries(
    Object.entries(first ?? {}).filter(([key, value]) => others.every(labels => labels[key] === value)),
  )
}

/** The sessions of all parts, one after the other, with epochs of their own. */
function sessionsOf(parts: readonly Part[]): JournalEvent[] {
  let last = 0
  return parts.flatMap(({ events }) => {
    const epochs = new Map<number, number>()
    return events.flatMap(event => {
      if (event.type === 'run-opened' || event.type === 'run-closed') {
        return []
      }
      const epoch = epochs.get(event.epoch) ?? last + 1
      last = Math.max(last, epoch)
      epochs.set(event.epoch, epoch)
      return [{ ...event, epoch }]
    })
  })
}

function refused(why: string): UsageError {
  return new UsageError(`the runs cannot be merged: ${why}`)
}
