import { resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { Lab } from '../config/model.js'
import type { Verdict } from '../journal/events.js'
import type { EnvironmentState } from '../journal/state.js'
import { isBringUp } from '../plan/boot.js'
import type { Choice } from '../plan/choice.js'
import type { Plan } from '../plan/types.js'
import { readLatest } from '../run/latest.js'
import { listRuns, readRun } from './runs.js'

const tried: ReadonlySet<Verdict> = new Set(['fail', 'error', 'blocked', 'not-run'])

/** The tests of a run that failed, had an error, were blocked or did not run. */
export interface LastFailed {
  /** The run's name. */
  readonly run: string
  readonly only: NonNullable<Choice['only']>
}

/** Reads the newest run below a folder. @throws UsageError when there is none, it is of another lab, or nothing is to be tried. */
export async function readLastFailed(reports: string, lab: Lab): Promise<LastFailed> {
  const newest = (await listRuns(reports)).at(-1)
  const folder = (await readLatest(reports)) ?? (newest === undefined ? null : resolve(reports, newest))
  if (folder === null) {
    throw new UsageError(`--last-failed: there are no runs in ${reports}`)
  }
  const { plan, state } = await readRun(folder)
  const run = state.run ?? folder
  if (plan.lab !== lab.name) {
    throw new UsageError(
      `--last-failed: the newest run ${run} is of the lab "${plan.lab}", not "${lab.name}"`,
    )
  }
  const only = new Map(state.environments.map(environment => [environment.planned.id, failedIn(environment)]))
  if ([...only.values()].every(tests => tests.size === 0)) {
    throw new UsageError(`--last-failed: nothing to run: every test of ${run} passed or was skipped`)
  }
  return { run, only }
}

/** A guest that could not be brought up again for its last tests counts with all of its tests. */
function failedIn({ tests }: EnvironmentState): ReadonlySet<string> {
  const own = tests.filter(({ planned }) => !isBringUp(planned))
  const failed = own.filter(({ verdict }) => tried.has(verdict))
  const hasBootFailed = tests.some(({ planned, verdict }) => isBringUp(planned) && tried.has(verdict))
  return new Set((failed.length === 0 && hasBootFailed ? own : failed).map(({ planned }) => planned.id))
}

/** Refuses a plan that leaves out what is to be run again: a smaller choice would look like a better one. */
export function refuseMissing({ run, only }: LastFailed, plan: Plan): void {
  const planned = new Map(plan.environments.map(({ id, tests }) => [id, new Set(tests.map(test => test.id))]))
  for (const [environment, tests] of only) {
    const missing = [...tests].find(test => planned.get(environment)?.has(test) !== true)
    if (missing !== undefined) {
      throw new UsageError(
        `--last-failed: ${missing} in ${environment}, which did not pass in ${run}, cannot be planned any more`,
      )
    }
  }
}
