/**
 * Waits with a limit: the only place where work is raced against time. What does not listen to its signal is given up
 * all the same, so that nothing can hold a run up.
 */
import { type Cause, InfraError } from '../config/errors.js'
import { formatDuration } from '../config/units.js'
import { anyOf, longestTimerMs, unlessAborted } from './signals.js'

/** Acts when time has passed; the function that is returned takes that back. */
export interface DeadlineClock {
  after(ms: number, act: () => void): () => void
}

/** Time as it passes for the runner. A machine that is held still has a clock of its own. */
const timers: DeadlineClock = {
  after: (ms, act) => {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
}

/** A named bound on something that is waited for. */
export interface Deadline {
  readonly name: string
  readonly ms: number
  /** What of it is left, where something before has used a part; all of it if absent. */
  readonly leftMs?: number
  /** What is bounded: a guest, a host, a step. */
  readonly where: string
  /** What is waited for, for the message, as in `the answer to stop`. */
  readonly what?: string
  /** Whose fault it is when the limit is reached; `unknown` unless said. */
  readonly cause?: Exclude<Cause, 'test'>
  /** What is thrown at the limit, made of the message that names it; an InfraError (`limit`) if absent. */
  readonly error?: (message: string) => Error
  /** What is thrown when the signal aborts; its reason if absent. */
  readonly cancelled?: () => Error
  /** Ends the work early, with its own reason. */
  readonly signal?: AbortSignal | undefined
  /** Ends it early too. */
  readonly also?: AbortSignal
  /** What measures the time; the runner's own timers if absent. */
  readonly clock?: DeadlineClock
}

/** A signal under a limit. */
export interface DeadlineSignal {
  /** Aborts with the error of the limit when it is reached, or with the outer signal's reason. */
  readonly signal: AbortSignal
  /** True when it was the limit that came first. */
  readonly isReached: () => boolean
  /** Must be called when the work has ended. */
  readonly clear: () => void
}

/** What is said of a limit that was reached: which, and its value. */
function messageOf({ name, ms, where, what }: Deadline): string {
  return what === undefined
    ? `${where}: the limit "${name}" of ${formatDuration(ms)} was reached`
    : `${where}: waited ${formatDuration(ms)} for ${what} (limit: ${name})`
}

function errorOf(deadline: Deadline): Error {
  const { name, where, cause = 'unknown', error } = deadline
  const message = messageOf(deadline)
  return error?.(message) ?? new InfraError(message, { cause, where, limit: name, code: 'limit' })
}

/** A signal that aborts when the limit is reached, for work that consists of several steps. */
export function deadlineSignal(deadline: Deadline): DeadlineSignal {
  const { ms, leftMs = ms, signal, also, clock = timers } = deadline
  const limit = new AbortController()
  const reach = (): void => limit.abort(errorOf(deadline))
  const cancel = clock.after(Math.min(leftMs, longestTimerMs), reach)
  const first = anyOf(...[signal, also].filter(one => one !== undefined), limit.signal)
  return {
    signal: first.signal,
    isReached: () => first.signal.aborted && first.signal.reason === limit.signal.reason,
    clear: () => {
      cancel()
      first.clear()
    },
  }
}

/**
 * Runs work under a limit. The work is told by its signal and is not waited for after that; what it still comes to is
 * given to `late`. Throws what the deadline says, or the signal's reason.
 */
export async function withDeadline<T>(
  deadline: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
  late: (result: T) => void = () => {},
): Promise<T> {
  const { signal, isReached, clear } = deadlineSignal(deadline)
  try {
    deadline.signal?.throwIfAborted()
    return await unlessAborted(work(signal), signal, late)
  } catch (error) {
    const isCancelled = signal.aborted && error === signal.reason && !isReached()
    throw isCancelled ? (deadline.cancelled?.() ?? error) : error
  } finally {
    clear()
  }
}

/** Waits for work that goes on whatever comes, but not longer than this: `late` when it takes longer. */
export async function inTime<T>(
  work: Promise<T>,
  ms: number,
  clock: DeadlineClock = timers,
): Promise<T | 'late'> {
  let cancel = (): void => {}
  const late = new Promise<'late'>(resolve => {
    cancel = clock.after(Math.min(ms, longestTimerMs), () => resolve('late'))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}
