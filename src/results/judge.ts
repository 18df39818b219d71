import type { Cause } from '../config/errors.js'
import type { FoundTrouble, LaterFacts, Observed } from './observed.js'
import { type AttemptVerdict, verdictTable } from './verdict-table.js'

/** What was observed of a judged attempt. Only {@link judge} can set it. */
const observed: unique symbol = Symbol('observed')

/**
 * A verdict with its cause and reason. It cannot be written down by hand: it comes from {@link judge}, which decides
 * by the table, or from {@link worsen}.
 */
export interface Judgement {
  readonly verdict: AttemptVerdict
  /** Absent on a pass, and only there. */
  readonly cause?: Cause
  /** Why, in one line; empty on a pass. */
  readonly reason: string
  readonly [observed]: Observed
}

/** Decides by the table; the only place where something becomes a pass. Never throws. */
export function judge(seen: Observed): Judgement {
  for (const { verdict, cause, why } of verdictTable) {
    const found = why(seen)
    if (found !== null) {
      const { message, cause: foundCause } =
        typeof found === 'string' ? { message: found, cause: undefined } : found
      const settled = cause === 'found' ? (foundCause ?? 'unknown') : cause
      return {
        verdict,
        reason: message,
        ...(settled === undefined ? {} : { cause: settled }),
        [observed]: seen,
      }
    }
  }
  return {
    verdict: 'error',
    cause: 'runner',
    reason: 'the table of verdicts has no last row',
    [observed]: seen,
  }
}

/** What was lost before a test had begun; `null` for anything else, and for a test that had. */
export function lostBeforeBegin(attempt: Judgement): FoundTrouble | null {
  const { beginning, crash, lease, loss } = attempt[observed]
  if (beginning.kind === 'seen' || lease !== undefined) {
    return null
  }
  return crash === undefined ? (loss ?? null) : { cause: 'guest', message: crash }
}

/** Farther from a pass; fail and error are equally far. */
const distance: Readonly<Record<AttemptVerdict, number>> = { pass: 0, skip: 1, fail: 2, error: 2 }

/**
 * Judges again with facts that were learnt later: a lost lease, a crash, a lost connection. The verdict stays or gets
 * worse, it never comes nearer to a pass. Everything else that is known of the attempt is kept.
 */
export function worsen<T extends Judgement>(attempt: T, later: LaterFacts): T {
  const { [observed]: seen, ...rest } = judge({ ...attempt[observed], ...later })
  return distance[rest.verdict] < distance[attempt.verdict]
    ? attempt
    : { ...attempt, ...rest, [observed]: seen }
}
