import type { ExitCode } from '../journal/exit.js'
import type { EnvironmentState, RunState, TestState } from '../journal/state.js'
import { isBringUp } from '../plan/boot.js'
import { requiredLeftOut } from '../plan/left-out.js'

/** The content of `summary.json`: what a run came to, for programs that do not read journals. */
export function summaryOf(state: RunState, exitCode: ExitCode): Record<string, unknown> {
  return {
    run: state.run,
    lab: state.lab,
    planDigest: state.planDigest,
    exitCode,
    labels: state.labels,
    ...(state.parents.length === 0 ? {} : { parents: state.parents.map(({ run }) => run) }),
    ...(state.closed?.endedEarly === undefined ? {} : { endedEarly: state.closed.endedEarly }),
    counts: state.counts,
    flaky: state.flaky,
    leftOutRequired: state.environments.reduce((sum, { planned }) => sum + requiredLeftOut(planned), 0),
    durationMs: state.durationMs,
    orphans: state.environments.flatMap(orphansOf),
    environments: state.environments.map(environment => ({
      id: environment.planned.id,
      emulated: environment.planned.emulated,
      durationMs: environment.durationMs,
      counts: environment.counts,
      leftOut: environment.planned.leftOut,
      tests: environment.tests.map(test => ({
        test: test.planned.id,
        level: test.planned.level,
        verdict: test.verdict,
        ...(test.cause === null ? {} : { cause: test.cause, reason: test.reason }),
        ...(test.flaky ? { flaky: test.flaky } : {}),
        ...(isBringUp(test.planned) ? bringUpOf(test) : {}),
      })),
    })),
  }
}

/** What could not be undone, and remains on a host. */
function orphansOf({ planned, instances }: EnvironmentState): Record<string, unknown>[] {
  return instances.flatMap(({ id, host, ended }) =>
    ended === null || ended.kept || ended.orphan === null
      ? []
      : [{ environment: planned.id, instance: id, host, what: ended.orphan }],
  )
}

/** How long a bring-up took, step by step, and which step it did not get past. */
function bringUpOf({ decisive, attempts }: TestState): Record<string, unknown> {
  const steps = Object.entries(decisive?.measures ?? {}).map(([step, { value }]) => [step, value] as const)
  return {
    durationMs: decisive?.durationMs ?? 0,
    attempts: attempts.length,
    stepsMs: Object.fromEntries(steps),
    ...(decisive?.step == null ? {} : { step: decisive.step }),
  }
}
