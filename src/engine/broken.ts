import { InfraError } from '../config/errors.js'
import { withDeadline } from '../deadline/deadline.js'
import type { RunningGuest, UnexpectedEvent } from '../hypervisors/driver.js'
import { type Machine, onAbort } from '../remote/index.js'
import type { ExpectedWindow } from './expected.js'

/** Whether a guest that runs can still serve. */
export interface Health {
  /** Aborts, with an InfraError as its reason, when the guest is gone or has crashed unexpectedly. */
  readonly broken: AbortSignal
  /** A crash within a window that tolerates it; the last one. */
  tolerated(): InfraError | null
  /** Ends a connection as soon as the guest breaks, and with it all that waits for an answer. */
  endWhenBroken(machine: Machine): void
  /**
   * What its host did to the guest unexpectedly since then, in monotonic ms, as trouble of the host's; `null` when that was
   * nothing, or may have been the guest's own doing. Looks at it first: what has happened by now counts.
   */
  byHostSince(sinceMs: number): Promise<InfraError | null>
  /** Knows that the guest was restarted as it was asked to be. */
  learnRestart(): Promise<void>
  /** Learns what the console says up to now. */
  look(): Promise<void>
  /** Watches it no more. */
  close(): void
}

/** What is watched, and who is told of what nobody asked for. */
export interface HealthRequest {
  readonly instance: string
  readonly running: RunningGuest
  readonly expected: ExpectedWindow
  readonly lookLimitMs: number
  readonly tell: (what: UnexpectedEvent) => void
}

/** Watches a running guest and its console. */
export function watchHealth({ instance, running, expected, lookLimitMs, tell }: HealthRequest): Health {
  const broken = new AbortController()
  let tolerated: InfraError | null = null
  const lose = (): void => broken.abort(running.gone.reason)
  const ignoreGone = onAbort(running.gone, lose)
  if (running.gone.aborted) {
    lose()
  }
  const byHost: { readonly atMs: number; readonly error: InfraError }[] = []
  const ignoreUnexpected = running.onUnexpected?.(what => {
    // A restart is what a reboot looks like on a host that makes the machine anew for it.
    if (what.type === 'restarted' && expected.current() !== null) {
      return
    }
    tell(what)
    const did =
      what.type === 'moved' ? `moved it from ${what.from} to ${what.to}` : `restarted it: ${what.why}`
    if (what.type === 'moved' || what.cause === 'host') {
      const message = `${instance}: its host ${did}, and nobody asked for that`
      const error = new InfraError(message, { cause: 'host', where: instance, code: 'lost' })
      byHost.push({ atMs: performance.now(), error })
    }
  })
  const lookAtMachine = async (): Promise<void> => {
    if (running.look !== undefined && !broken.signal.aborted) {
      const limit = { name: 'command', ms: lookLimitMs, where: instance, also: broken.signal }
      // A host that cannot be asked has said nothing; trouble with it shows elsewhere.
      await withDeadline(limit, async signal => running.look?.(signal)).catch(() => {})
    }
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
    byHostSince: async sinceMs => {
      await lookAtMachine()
      return byHost.find(({ atMs }) => atMs > sinceMs)?.error ?? null
    },
    learnRestart: lookAtMachine,
    close: () => {
      ignoreUnexpected?.()
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
