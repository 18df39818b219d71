import { type Cause, InfraError } from '../config/errors.js'
import { formatDuration } from '../config/units.js'

/** A named bound on something that is waited for. */
export interface NamedLimit {
  readonly name: string
  readonly ms: number
  /** What is bounded: a guest, a host, a step. */
  readonly where: string
  /** Whose fault it is when the limit is reached; `unknown` unless said. */
  readonly cause?: Exclude<Cause, 'test'>
  /** Ends the work early, with its own reason. */
  readonly signal?: AbortSignal
}

/**
 * Runs work under a limit. The work is told by its signal and is not waited for after that:
 * what does not listen cannot hold the run up. Throws InfraError (`limit`), or the signal's reason.
 */
export async function withLimit<T>(
  { name, ms, where, cause = 'unknown', signal }: NamedLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const reached = new InfraError(`${where}: the limit "${name}" of ${formatDuration(ms)} was reached`, {
    cause,
    where,
    limit: name,
    code: 'limit',
  })
  const timer = setTimeout(() => controller.abort(reached), Math.min(ms, longestTimerMs))
  const forward = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', forward, { once: true })
  const ended = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
  })
  // The loser of the race may reject after it has been decided: that is no unhandled rejection.
  ended.catch(() => {})
  try {
    const working = work(controller.signal)
    working.catch(() => {})
    return await Promise.race([working, ended])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', forward)
  }
}

/** Node's timers hold no more than 2^31 - 1 ms; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1
