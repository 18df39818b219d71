import { InfraError } from '../config/errors.js'
import type { Held, LeasedPlace } from '../hypervisors/lease.js'
import { onAbort } from '../remote/index.js'
import type { Outcome } from './outcome.js'
import type { GuestSession } from './session.js'
import type { RunSettings } from './settings.js'

/** A run's settings within which all stops when the machine is taken over by somebody else. */
export function fenced(
  held: Held,
  settings: RunSettings,
): { readonly settings: RunSettings; readonly clear: () => void } {
  const { signal, clear } = either(settings.stop, held.lost)
  return { settings: { ...settings, stop: signal }, clear }
}

/** Takes the lease of an instance's machine, and says for whom it waits. Ends early when the run is to end. */
export async function holdPlace(
  place: LeasedPlace,
  { leases, emit, plan, stop, drain }: RunSettings,
  at: { readonly environment: string; readonly instance: string },
): Promise<Held> {
  const { signal, clear } = either(stop, drain)
  try {
    const held = await leases.hold({
      ...place,
      signal,
      onWait: (machine, owner) =>
        emit({ type: 'lease-awaited', ...at, machine, owner, limitMs: plan.limits.leaseWait }),
    })
    if (held.token !== null) {
      emit({ type: 'lease-taken', ...at, machine: held.machine, token: held.token })
    }
    return held
  } finally {
    clear()
  }
}

/** Aborts with whichever comes first. Not `AbortSignal.any`: Node 20 may lose it to the garbage collector. */
function either(...signals: readonly AbortSignal[]): {
  readonly signal: AbortSignal
  readonly clear: () => void
} {
  const controller = new AbortController()
  const forwards = signals.map(signal => {
    const forward = (): void => controller.abort(signal.reason)
    const ignore = onAbort(signal, forward)
    if (signal.aborted) {
      forward()
    }
    return ignore
  })
  const clear = (): void => {
    for (const remove of forwards) {
      remove()
    }
  }
  return { signal: controller.signal, clear }
}

/**
 * One attempt, and whether the machine was ours to its end: that is asked after it has ended, so a pass is none
 * where another may have been at work. Nor is the guest to blame for what was lost with the lease.
 */
export async function judgeHeld(
  held: Held,
  session: GuestSession,
  stop: AbortSignal,
  attempt: () => Promise<Outcome>,
): Promise<Outcome> {
  let outcome: Outcome
  try {
    outcome = await attempt()
  } catch (error) {
    if (held.lost.aborted && error === held.lost.reason) {
      return taken(nothing, error)
    }
    throw error
  }
  if (held.token === null || outcome.verdict === 'error') {
    return held.lost.aborted ? taken(outcome, held.lost.reason) : outcome
  }
  const { machine } = session
  try {
    await held.confirm(machine.lost.aborted ? null : machine, stop)
    return outcome
  } catch (error) {
    // What was seen to fail stays so, unless somebody else is known to have been there.
    return held.lost.aborted || outcome.verdict === 'pass' ? taken(outcome, error) : outcome
  }
}

const nothing = { checks: [], measures: {}, evidence: [] } as const

function taken(outcome: Pick<Outcome, 'checks' | 'measures' | 'evidence'>, error: unknown): Outcome {
  const trouble =
    error instanceof InfraError
      ? error
      : new InfraError(String(error), { cause: 'runner', where: 'lease', code: 'lease' })
  const { checks, measures, evidence } = outcome
  return {
    checks,
    measures,
    evidence,
    verdict: 'error',
    cause: trouble.context.cause,
    reason: trouble.message,
    spoilt: true,
    trouble,
  }
}
