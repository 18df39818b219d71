import type { InfraError } from '../config/errors.js'
import { withDeadline } from '../deadline/deadline.js'
import type { RunningGuest } from '../hypervisors/driver.js'
import { type Machine, onAbort } from '../remote/index.js'
import type { ExpectedWindow } from './expected.js'

/** Whether a guest that runs can still serve. */
export interface Health {
  /** Aborts, with an InfraError as its reason, when the guest is gone or has crashed unasked. */
  readonly broken: AbortSignal
  /** A crash within a window that tolerates it; the last one. */
  tolerated(): InfraError | null
  /** Ends a connection as soon as the guest breaks, and with it all that waits for an answer. */
  endWhenBroken(machine: Machine): void
  /** Learns what the console says up to now. */
  look(): Promise<void>
  /** Watches it no more. */
  close(): void
}

/** Watches a running guest and its console. */
export function watchHealth(running: RunningGuest, expected: ExpectedWindow, lookLimitMs: number): Health {
  const broken = new AbortController()
  let tolerated: InfraError | null = null
  const lose = (): void => broken.abort(running.gone.reason)
  const ignoreGone = onAbort(running.gone, lose)
  if (running.gone.aborted) {
    lose()
  }
  const ignoreCrashes = running.console?.onCrash(error => {
    if (expected.toleratesCrash()) {
      tolerated = error
    } else {
      broken.abort(error)
    }
  })
  return {
    broken: broken.signal,
    tolerated: () => tolerated,
    endWhenBroken: machine => {
      const end = (): void => void machine.close().catch(() => {})
      onAbort(machine.lost, onAbort(broken.signal, end))
      if (broken.signal.aborted) {
        end()
      }
    },
    close: () => {
      ignoreGone()
      ignoreCrashes?.()
    },
    look: async () => {
      const { console } = running
      if (console !== undefined && !broken.signal.aborted) {
        const limit = { name: 'console', ms: lookLimitMs, where: 'the console', also: broken.signal }
        // A console that cannot be read says nothing; trouble with its host shows elsewhere.
        await withDeadline(limit, signal => console.look(signal)).catch(() => {})
      }
    },
  }
}
