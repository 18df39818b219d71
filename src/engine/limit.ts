import { type Cause, InfraError } from '../config/errors.js'
import { formatDuration } from '../config/units.js'
import { anyOf, longestTimerMs } from '../remote/index.js'

/** A named bound on something that is waited for. */
export interface NamedLimit {
  readonly name: string
  readonly ms: number
  /** What of it is left, where something before has used a part; all of it if absent. */
  readonly leftMs?: number
  /** What is bounded: a guest, a host, a step. */
  readonly where: string
  /** Whose fault it is when the limit is reached; `unknown` unless said. */
  readonly cause?: Exclude<Cause, 'test'>
  /** Ends the work early, with its own reason. */
  readonly signal?: AbortSignal
  /** Ends it early too. */
  readonly also?: AbortSignal
}

/** A signal that aborts with an InfraError (`limit`) when the limit is reached, or with the outer signal's reason. */
export function limitSignal({ name, ms, leftMs = ms, where, cause = 'unknown', signal, also }: NamedLimit): {
  readonly signal: AbortSignal
  /** Must be called when the work has ended. */
  readonly clear: () => void
} {
  const limit = new AbortController()
  const reached = new InfraError(`${where}: the limit "${name}" of ${formatDuration(ms)} was reached`, {
    cause,
    where,
    limit: name,
    code: 'limit',
  })
  const timer = setTimeout(() => limit.abort(reached), Math.min(leftMs, longestTimerMs))
  const outer = [signal, also].filter(one => one !== undefined)
  const first = anyOf(limit.signal, ...outer)
  const clear = (): void => {
    clearTimeout(timer)
    first.clear()
  }
  return { signal: first.signal, clear }
}

/**
 * Runs work under a limit. The work is told by its signal and is not waited for after that:
 * what does not listen cannot hold the run up. Throws InfraError (`limit`), or the signal's reason.
 */
export async function withLimit<T>(limit: NamedLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  limit.signal?.throwIfAborted()
  const { signal, clear } = limitSignal(limit)
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  // The loser of the race may reject after it has been decided: that is not an unhandled rejection.
  ended.catch(() => {})
  try {
    const working = work(signal)
    working.catch(() => {})
    return await Promise.race([working, ended])
  } finally {
    clear()
  }
}
