import type { JournalEvent } from '../journal/events.js'
import type { PlannedEnvironment } from '../plan/types.js'

/** How long things took before, in ms: what orders environments, and never a limit. */
export interface History {
  /** Tests, by `environment test`. */
  readonly tests: ReadonlyMap<string, number>
  /** Tests in any environment, by id. */
  readonly anywhere: ReadonlyMap<string, number>
  /** All in an environment beside its tests, by environment: starting, waiting, undoing. */
  readonly around: ReadonlyMap<string, number>
}

export const noHistory: History = { tests: new Map(), anywhere: new Map(), around: new Map() }

/** Of a test that no run has seen yet, unless its limit is shorter. */
const unknownTestMs = 15_000
/** Of starting and undoing an environment that no run has seen yet. */
const unknownAroundMs = 60_000

/** What earlier journals say about durations, the oldest first: the newest word on each thing holds. */
export function historyOf(journals: Iterable<readonly JournalEvent[]>): History {
  const tests = new Map<string, number>()
  const anywhere = new Map<string, number>()
  const around = new Map<string, number>()
  for (const events of journals) {
    const spans = new Map<string, { beganMs: number; testsMs: number }>()
    for (const event of events) {
      if (event.type === 'session-started') {
        // Another session has another clock.
        spans.clear()
      } else if (event.type === 'instance-started' && !spans.has(event.environment)) {
        spans.set(event.environment, { beganMs: event.ms, testsMs: 0 })
      } else if (event.type === 'test-ended' && event.instance !== null) {
        const { environment, test, durationMs } = event
        const span = spans.get(environment)
        if (span !== undefined) {
          span.testsMs += durationMs
        }
        tests.set(`${environment} ${test}`, durationMs)
        anywhere.set(test, durationMs)
      } else if (event.type === 'environment-ended') {
        const span = spans.get(event.environment)
        if (span !== undefined) {
          around.set(event.environment, Math.max(0, event.ms - span.beganMs - span.testsMs))
        }
      }
    }
  }
  return { tests, anywhere, around }
}

/** How long an environment should take, by earlier runs; a guess where there are none. */
export function estimateMs({ id, tests }: PlannedEnvironment, history: History): number {
  return tests.reduce(
    (sum, test) =>
      sum +
      (history.tests.get(`${id} ${test.id}`) ??
        history.anywhere.get(test.id) ??
        Math.min(unknownTestMs, test.limitMs)),
    history.around.get(id) ?? unknownAroundMs,
  )
}
