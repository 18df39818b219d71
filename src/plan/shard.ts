import { createHash } from 'node:crypto'
import { z } from 'zod'
import { UsageError } from '../config/errors.js'
import { digestPlan } from './digest.js'
import type { Plan, PlannedEnvironment } from './types.js'

/** One of the parts that a plan is split into. */
export interface ShardChoice {
  /** From 1. */
  readonly index: number
  readonly of: number
}

/** How long environments took in an earlier run, and the digest of the file that says so. */
export interface Durations {
  readonly sha256: string
  /** In ms, by environment. */
  readonly byEnvironment: ReadonlyMap<string, number>
}

/** Of one plan. */
const mostShards = 1000

/** Reads `2/5`; `null` for anything else. */
export function parseShard(text: string): ShardChoice | null {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []
  const choice = { index: Number(index), of: Number(of) }
  return choice.index >= 1 && choice.index <= choice.of && choice.of <= mostShards ? choice : null
}

const durationsSchema = z.looseObject({
  environments: z.array(z.looseObject({ id: z.string(), durationMs: z.number().nonnegative() })).min(1),
})

/** Reads what `summary.json` of an earlier run says of durations; `null` for anything else. */
export function parseDurations(content: string): Durations | null {
  try {
    const { environments } = durationsSchema.parse(JSON.parse(content))
    return {
      sha256: createHash('sha256').update(content).digest('hex'),
      byEnvironment: new Map(environments.map(({ id, durationMs }) => [id, durationMs])),
    }
  } catch {
    return null
  }
}

/**
 * One part of a plan: some of its environments, whole. Every part is told from the plan and the durations alone, so that
 * runners which know nothing of one another split it in the same way.
 *
 * @throws UsageError when there are more parts than environments.
 */
export function shardOf(plan: Plan, { index, of }: ShardChoice, durations: Durations | null): Plan {
  const { environments, digest } = plan
  if (of > environments.length) {
    throw new UsageError(
      `--shard ${index}/${of}: the plan has ${environments.length} environment${environments.length === 1 ? '' : 's'}, and cannot be split into more parts`,
    )
  }
  const dealt = durations === null ? dealByKey(environments, of) : dealByDuration(environments, of, durations)
  const positions = environments.flatMap(({ id }, at) => (dealt.get(id) === index ? [at] : []))
  const own = environments.filter((_, at) => positions.includes(at))
  return {
    ...plan,
    digest: digestPlan(own),
    expected: own.reduce((sum, { tests }) => sum + tests.length, 0),
    environments: own,
    shard: {
      index,
      of,
      whole: digest,
      positions,
      ...(durations === null ? {} : { durations: durations.sha256 }),
    },
  }
}

/** In the order of a key that only the environment's name decides, one to each part in turn. */
function dealByKey(environments: readonly PlannedEnvironment[], of: number): ReadonlyMap<string, number> {
  return new Map(byKey(environments).map(({ id }, at) => [id, (at % of) + 1]))
}

/** The longest first, each to the part that has the least to do so far. */
function dealByDuration(
  environments: readonly PlannedEnvironment[],
  of: number,
  { byEnvironment }: Durations,
): ReadonlyMap<string, number> {
  const known = environments.flatMap(({ id }) => byEnvironment.get(id) ?? []).sort((a, b) => a - b)
  // One that no earlier run has seen takes as long as one of the middle.
  const usual = known[Math.floor(known.length / 2)] ?? 1
  const lengthOf = ({ id }: PlannedEnvironment): number => Math.max(1, byEnvironment.get(id) ?? usual)
  const loads = Array.from({ length: of }, () => 0)
  const dealt = new Map<string, number>()
  for (const environment of byKey(environments).sort((a, b) => lengthOf(b) - lengthOf(a))) {
    const least = loads.indexOf(Math.min(...loads))
    loads[least] = (loads[least] ?? 0) + lengthOf(environment)
    dealt.set(environment.id, least + 1)
  }
  return dealt
}

function byKey(environments: readonly PlannedEnvironment[]): PlannedEnvironment[] {
  const keyOf = ({ id }: PlannedEnvironment): string => createHash('sha256').update(id).digest('hex')
  return environments.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}
