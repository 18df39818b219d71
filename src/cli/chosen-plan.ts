import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { Lab } from '../config/model.js'
import { makePlan } from '../plan/build.js'
import { everything } from '../plan/choice.js'
import type { Requester } from '../plan/reservation.js'
import type { AbilitiesOf } from '../plan/serving.js'
import { type Durations, parseDurations, parseShard, shardOf } from '../plan/shard.js'
import type { Suite } from '../plan/suite.js'
import type { Plan } from '../plan/types.js'
import { isSet, type ParsedArgs, textFlag } from './args.js'
import { readChoice } from './choice.js'
import { readLastFailed, refuseMissing } from './last-failed.js'

/** What a plan is made of. */
export interface PlanParts {
  readonly lab: Lab
  readonly suites: readonly Suite[]
  readonly abilitiesOf: AbilitiesOf
  readonly requester: Requester
  /** Where paths start from. Absolute. */
  readonly cwd: string
  /** Where `--last-failed` looks for the newest run. */
  readonly reports: string
}

/** The plan that the flags of a command choose, or the part of it that `--shard` names. @throws UsageError */
export async function chosenPlan(args: ParsedArgs, parts: PlanParts): Promise<Plan> {
  const shard = parseShard(textFlag(args, 'shard') ?? '')
  const file = textFlag(args, 'durations')
  if (shard === null && file !== undefined) {
    throw new UsageError(
      '--durations is for --shard: how long environments take decides what goes into which part',
    )
  }
  const durations = file === undefined ? null : await readDurations(resolve(parts.cwd, file))
  const plan = await wholePlan(args, parts)
  return shard === null ? plan : shardOf(plan, shard, durations)
}

async function readDurations(path: string): Promise<Durations> {
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--durations ${path} cannot be read: ${error.code ?? error.message}`)
  })
  const durations = parseDurations(content)
  if (durations === null) {
    throw new UsageError(
      `--durations ${path} is not a summary.json of a run with the durations of environments`,
    )
  }
  return durations
}

async function wholePlan(
  args: ParsedArgs,
  { lab, suites, abilitiesOf, requester, reports }: PlanParts,
): Promise<Plan> {
  const choice = readChoice(args)
  const inspect = textFlag(args, 'inspect')
  const chosen = inspect === undefined ? choice : { ...choice, tests: [...choice.tests, inspect] }
  if (!isSet(args, 'last-failed')) {
    return makePlan(lab, suites, chosen, abilitiesOf, requester)
  }
  const last = await readLastFailed(reports, lab)
  const { only } = last
  refuseMissing(last, makePlan(lab, suites, { ...everything, only }, abilitiesOf, requester))
  return makePlan(lab, suites, { ...chosen, only }, abilitiesOf, requester)
}
