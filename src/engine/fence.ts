import { InfraError } from '../config/errors.js'
import { type Held, keyOf, type LeasedPlace, nothingHeld } from '../hypervisors/lease.js'
import { anyOf, type Machine } from '../remote/index.js'
import { worsen } from '../results/judge.js'
import { judgeUnbegun, type Outcome } from './outcome.js'
import type { GuestSession } from './session.js'
import type { RunSettings } from './settings.js'

/** A run's settings within which all stops when the machine is taken over by somebody else. */
export function fenced(
  held: Held,
  settings: RunSettings,
): { readonly settings: RunSettings; readonly clear: () => void } {
  const { signal, clear } = anyOf(settings.stop, held.lost)
  return { settings: { ...settings, stop: signal }, clear }
}

/**
 * Takes the leases of an instance's machines, its own one first in what is returned, and says for whom it waits. Ends
 * early when the run is to end. A place with `onFailure` may fail: that is told, and the others are held.
 */
export async function holdPlaces(
  places: readonly (LeasedPlace & { readonly onFailure?: (error: unknown) => void })[],
  { leases, emit, plan, stop, drain }: RunSettings,
  at: { readonly environment: string; readonly instance: string },
  onTrouble: (what: string) => void = () => {},
): Promise<Held> {
  const { signal, clear } = anyOf(stop, drain)
  const held = new Map<LeasedPlace, Held>()
  try {
    // Everywhere in the same order: nobody holds what another waits for, and waits for what that one holds.
    for (const place of [...places].sort((a, b) => compareText(keyOf(a), keyOf(b)))) {
      const holding = leases.hold({
        ...place,
        signal,
        onTrouble,
        onWait: (machine, owner) =>
          emit({ type: 'lease-awaited', ...at, machine, owner, limitMs: plan.limits.leaseWait }),
      })
      const one = await holding.catch((error: unknown) => {
        if (place.onFailure === undefined || signal.aborted) {
          throw error
        }
        place.onFailure(error)
        return nothingHeld
      })
      held.set(place, one)
      if (one.token !== null) {
        emit({ type: 'lease-taken', ...at, machine: one.machine, token: one.token })
      }
    }
    return together(places.flatMap(place => held.get(place) ?? []))
  } catch (error) {
    for (const one of held.values()) {
      one.leave()
    }
    throw error
  } finally {
    clear()
  }
}

function compareText(a: string | null, b: string | null): number {
  return (a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0
}

/** Several machines as one: lost with any of them. */
function together(all: readonly Held[]): Held {
  const [first = nothingHeld, ...others] = all
  if (others.length === 0) {
    return first
  }
  const { signal, clear } = anyOf(...all.map(({ lost }) => lost))
  return {
    ...first,
    lost: signal,
    isCertain: () => all.every(one => one.isCertain()),
    confirm: async (shell, until) => {
      await first.confirm(shell, until)
      for (const other of others) {
        await other.confirm(null, until)
      }
    },
    leave: () => {
      clear()
      for (const one of all) {
        one.leave()
      }
    },
  }
}

/** The connection over which the guest was last known to be ours; a guest that is reached anew is asked. */
const reachedAs = new WeakMap<Held, Machine>()

/**
 * One attempt, and whether the machine was ours to its end: that is looked at after it has ended, so a pass is none
 * where another may have been at work. The machine is asked unless it is certain without that. Nor is the guest to
 * blame for what was lost with the lease.
 */
export async function judgeHeld(
  held: Held,
  session: GuestSession,
  stop: AbortSignal,
  attempt: () => Promise<Outcome>,
): Promise<Outcome> {
  const before = reachedAs.get(held) ?? session.machine
  reachedAs.set(held, before)
  let outcome: Outcome
  try {
    outcome = await attempt()
  } catch (error) {
    if (held.lost.aborted && error === held.lost.reason) {
      return taken({ ...judgeUnbegun({}), checks: [], measures: {}, evidence: [], spoilt: true }, error, true)
    }
    throw error
  }
  if (held.token === null || outcome.verdict === 'error') {
    return held.lost.aborted ? taken(outcome, held.lost.reason, true) : outcome
  }
  const { machine } = session
  if (machine === before && !machine.lost.aborted && held.isCertain()) {
    return outcome
  }
  try {
    await held.confirm(machine.lost.aborted ? null : machine, stop)
    reachedAs.set(held, machine)
    return outcome
  } catch (error) {
    return taken(outcome, error, held.lost.aborted)
  }
}

/** `isTaken` when somebody else is known to have been there: only then is nothing believed that was seen. */
function taken(outcome: Outcome, error: unknown, isTaken: boolean): Outcome {
  const trouble =
    error instanceof InfraError
      ? error
      : new InfraError(String(error), { cause: 'runner', where: 'lease', code: 'lease' })
  const lease = { cause: trouble.context.cause, message: trouble.message, isTaken }
  const judged = worsen(outcome, { lease })
  return judged.reason === trouble.message ? { ...judged, spoilt: true, trouble } : outcome
}
