import { InfraError, InternalError } from '../config/errors.js'
import type { PlannedTest } from '../plan/types.js'
import type { Machine } from '../remote/index.js'
import { worsen } from '../results/judge.js'
import { runModule } from './module.js'
import { judgeUnbegun, type Outcome, troubleOf } from './outcome.js'
import { runScript } from './script.js'
import { diagnoseLoss, type GuestSession } from './session.js'
import type { RunSettings } from './settings.js'

/** One attempt of one test. Throws only when the run is stopped. */
export async function runTest(
  session: GuestSession,
  test: PlannedTest,
  attempt: number,
  settings: RunSettings,
): Promise<Outcome> {
  const { stop } = settings
  const suite = settings.suites.get(test.suite)
  if (suite === undefined) {
    throw new InternalError(`the plan names the suite ${test.suite}, which is not loaded`)
  }
  let own = session.machine
  // A module may have the guest reboot, and then goes on over another connection; a script has one.
  const machine = (): Machine => (test.protocol === 'module' ? session.machine : own)
  try {
    own = await session.connected(stop)
    if (isLost(session, own)) {
      return await lostOutcome(session, own, stop)
    }
    const { protocol } = test
    if (protocol === 'bring-up') {
      throw new InternalError(`${test.id} is not a test of a suite: it cannot be run`)
    }
    if (protocol !== 'module' && !session.source.system.runsScripts) {
      const message = 'scripts need a guest with a POSIX shell: a test for Windows must be a module'
      const ending = { kind: 'threw', cause: 'test', message } as const
      return { ...judgeUnbegun({ ending }), ...nothing, spoilt: false }
    }
    const outcome =
      protocol === 'module'
        ? await runModule(session, test, suite, attempt, settings)
        : await runScript(session, { ...test, protocol }, suite, attempt, stop)
    return await unlessCrashed(outcome, session)
  } catch (error) {
    stop.throwIfAborted()
    if (isLost(session, machine())) {
      return lostOutcome(session, machine(), stop)
    }
    const ending = { kind: 'threw', ...troubleOf(error) } as const
    return {
      ...judgeUnbegun({ ending }),
      ...nothing,
      spoilt: true,
      ...(error instanceof InfraError ? { trouble: error } : {}),
    }
  }
}

function isLost({ source }: GuestSession, machine: Machine): boolean {
  return machine.lost.aborted || source.health.broken.aborted
}

/** A test under which the guest broke has not passed, whatever it said: consoles are read a little later. */
async function unlessCrashed(outcome: Outcome, { source: { health } }: GuestSession): Promise<Outcome> {
  await health.look()
  const { reason } = health.broken
  if (!health.broken.aborted) {
    return outcome
  }
  if (!(reason instanceof InfraError) || reason.context.cause !== 'guest') {
    return { ...outcome, spoilt: true }
  }
  const { trouble: _, ...seen } = worsen(outcome, { crash: reason.message })
  return { ...seen, spoilt: true }
}

/** The connection was gone before the test had begun. */
async function lostOutcome(session: GuestSession, machine: Machine, signal: AbortSignal): Promise<Outcome> {
  const { verdict, error } = await diagnoseLoss(session, signal, machine)
  return {
    ...judgeUnbegun({ loss: troubleOf(error) }),
    ...nothing,
    spoilt: true,
    ...(verdict === 'error' ? { trouble: error } : {}),
  }
}

const nothing = { checks: [], measures: {}, evidence: [] } as const
