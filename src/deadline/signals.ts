/**
 * Signals that depend on others. `AbortSignal.any` and `AbortSignal.timeout` are not used: Node 20 holds
 * what they are made of weakly, and a limit that was collected as garbage never comes.
 */
import { setMaxListeners } from 'node:events'

/**
 * Calls `act` when the signal aborts; the function that is returned takes that back. One signal of a
 * run is listened to by all its machines and commands at once, which is not a leak.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) {
    return () => {}
  }
  setMaxListeners(0, signal)
  signal.addEventListener('abort', act, { once: true })
  return () => signal.removeEventListener('abort', act)
}

/** Node's timers hold no more than 2^31 - 1 ms; a longer one would fire at once. */
export const longestTimerMs = 2 ** 31 - 1

/** Waits for any of the signals, but not longer than this. */
export function untilAborted(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      for (const ignore of ignored) {
        ignore()
      }
      resolve()
    }
    const timer = setTimeout(done, Math.min(ms, longestTimerMs))
    const ignored = signals.map(signal => onAbort(signal, done))
    if (signals.some(signal => signal.aborted)) {
      done()
    }
  })
}

/**
 * Waits for work, but not once the signal has aborted: then it throws the signal's reason, and what the work still comes
 * to is given to `late`.
 */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  late: (result: T) => void = () => {},
): Promise<T> {
  let ignore = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    const refuse = (): void => reject(signal?.reason)
    ignore = onAbort(signal, refuse)
    if (signal?.aborted === true) {
      refuse()
    }
  })
  try {
    return await Promise.race([work, aborted])
  } catch (error) {
    work.then(late, () => {})
    throw error
  } finally {
    ignore()
  }
}

/** A signal that others abort. */
export interface AnySignal {
  readonly signal: AbortSignal
  /** Lets go of the others when the work is done. */
  readonly clear: () => void
}

/** Aborts with whichever comes first. */
export function anyOf(...signals: readonly AbortSignal[]): AnySignal {
  const controller = new AbortController()
  const ignored = signals.map(signal => {
    const forward = (): void => controller.abort(signal.reason)
    const ignore = onAbort(signal, forward)
    if (signal.aborted) {
      forward()
    }
    return ignore
  })
  return {
    signal: controller.signal,
    clear: () => {
      for (const ignore of ignored) {
        ignore()
      }
    },
  }
}
