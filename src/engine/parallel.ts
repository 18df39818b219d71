import type { PlannedTest } from '../plan/types.js'
import type { Progress } from './environment.js'
import type { Outcome } from './outcome.js'
import type { AttemptEnd, Serving } from './pending.js'

/**
 * The tests that may run now: the first that is pending and, where it says `parallel`, those behind it that say so, too.
 * The plan's order stands: a test that must run alone, or that needs one which has not passed yet, ends them.
 */
export function beside({ pending, ended }: Pick<Progress, 'pending' | 'ended'>): readonly PlannedTest[] {
  const mayRun = ({ parallel, after }: PlannedTest): boolean =>
    parallel === true && after.every(id => ended.get(id)?.verdict === 'pass')
  const end = pending.findIndex(test => !mayRun(test))
  return pending.slice(0, Math.max(1, end === -1 ? pending.length : end))
}

/**
 * Runs tests of one guest, several at once over one connection: as many as the limit `parallelTests` and the guest's SSH
 * server allow. None is begun after one that the instance has not survived, or when the run is to end; those that run
 * are waited for. Throws what the first of them throws that does.
 */
export async function atOnce(
  tests: readonly PlannedTest[],
  { session, request: { settings } }: Pick<Serving, 'session' | 'request'>,
  attempt: (test: PlannedTest) => Promise<AttemptEnd>,
): Promise<AttemptEnd> {
  const { machine, source } = session
  let next = 0
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  let end: AttemptEnd = { isOver: false, trouble: null }
  const mayBegin = (): boolean =>
    !end.isOver && failures.length === 0 && !settings.drain.aborted && session.machine === machine
  const begin = (test: PlannedTest): void => {
    const one = attempt(test)
      .then(({ isOver, trouble }) => {
        end = { isOver: end.isOver || isOver, trouble: end.trouble ?? trouble }
      })
      .catch((error: unknown) => {
        failures.push(error)
      })
      .finally(() => running.delete(one))
    running.add(one)
  }
  do {
    const most = Math.min(source.limits.parallelTests, machine.channels)
    for (const test of tests.slice(next, next + most - running.size)) {
      if (next === 0 || mayBegin()) {
        begin(test)
        next += 1
      }
    }
    await Promise.race(running)
  } while (running.size > 0)
  if (failures.length > 0) {
    throw failures[0]
  }
  return end
}

/**
 * Why an attempt did not pass, and which tests ran beside it where the instance did not survive: nobody knows which of
 * them it was.
 */
export function ofThoseBeside(
  { reason, spoilt }: Pick<Outcome, 'reason' | 'spoilt'>,
  { inFlight }: Pick<Progress, 'inFlight'>,
): string {
  return reason !== '' && spoilt && inFlight.size > 1
    ? `${reason}; tests in flight: ${[...inFlight].sort().join(', ')}`
    : reason
}
