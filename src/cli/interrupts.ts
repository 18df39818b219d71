import { anyOf } from '../remote/index.js'

/** Two requests to end a run: the first drains, the second stops now. */
export interface Interrupts {
  readonly drain: AbortSignal
  readonly stop: AbortSignal
  /** Aborts with the first of both: for what cannot be drained. */
  readonly any: AbortSignal
  /** Gives the signals back to their defaults. */
  close(): void
}

/** npm and terminals send one Ctrl-C several times over; within this time they are one. */
const sameInterruptMs = 500
const interruptExitCode = 130
const patience = 3
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Watches SIGINT, SIGTERM and SIGHUP, which a terminal sends when it goes away. The first aborts `drain`: nothing new is begun, what runs is ended and undone.
 * The second aborts `stop`. A third gives up without undoing.
 */
export function watchInterrupts(say: (text: string) => unknown, outer?: AbortSignal): Interrupts {
  const [drain, stop] = [new AbortController(), new AbortController()]
  let count = 0
  let lastAt = Number.NEGATIVE_INFINITY
  const interrupted = (): void => {
    const now = performance.now()
    if (now - lastAt < sameInterruptMs) {
      return
    }
    lastAt = now
    count += 1
    if (count === 1) {
      say(
        '\nInterrupted: waiting for running tests to end, then tearing down. Interrupt again to stop at once.\n',
      )
      drain.abort(new Error('interrupted'))
    } else if (count < patience) {
      say('\nStopping now. Interrupt again to exit without teardown.\n')
      stop.abort(new Error('interrupted twice'))
    } else {
      process.exit(interruptExitCode)
    }
  }
  const forward = (): void => stop.abort(outer?.reason)
  for (const signal of signals) process.on(signal, interrupted)
  outer?.addEventListener('abort', forward, { once: true })
  const either = anyOf(drain.signal, stop.signal)
  return {
    drain: drain.signal,
    stop: stop.signal,
    any: either.signal,
    close: () => {
      either.clear()
      for (const signal of signals) process.off(signal, interrupted)
      outer?.removeEventListener('abort', forward)
    },
  }
}
