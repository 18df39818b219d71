import type { LeaseAnswer } from './answer.js'

/** The runner's clocks. */
export interface Clocks {
  /** Never set back, but on Linux it stands still while the machine sleeps. */
  monotonicMs(): number
  /** Goes on while the machine sleeps, but can be set. */
  wallMs(): number
}

export const ownClocks: Clocks = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }

/** One moment by both clocks. */
export interface Moment {
  readonly monotonicMs: number
  readonly wallMs: number
}

/**
 * In parts of the owner's recorded renewal interval: how long a contender watches a lease that is not renewed, and
 * how long its owner relies on a renewal. The difference is what clocks may be wrong by.
 */
export const contenderWaits = 1.5
const ownerRelies = 1.25
const clocksMayDisagree = 0.1
/** The machine's clock is read in whole seconds. */
const machineClockStepMs = 1000

/** What a runner knows, without asking, of a lease that it has. */
export interface Certainty {
  /** To be taken before a renewal is sent. */
  now(): Moment
  /** The machine has confirmed the renewal that was sent at that moment. */
  confirmed(sent: Moment, answer: LeaseAnswer): void
  /**
   * True while nobody can have taken the lease over: a contender must first have seen the last confirmed renewal,
   * and then have watched for {@link contenderWaits} intervals. See docs/adr/0007-a-lease-that-is-known.md.
   */
  holds(): boolean
}

interface Confirmed {
  readonly sent: Moment
  readonly answeredMs: number
  readonly machineMs: number
  readonly reliesMs: number
  readonly toleranceMs: number
  readonly isSteady: boolean
}

/** Knows nothing yet. */
export function openCertainty(clocks: Clocks = ownClocks): Certainty {
  let last: Confirmed | null = null
  const now = (): Moment => ({ monotonicMs: clocks.monotonicMs(), wallMs: clocks.wallMs() })
  return {
    now,
    confirmed: (sent, { ttlMs, everyMs, machineMs }) => {
      const answeredMs = clocks.monotonicMs()
      const isSteady = last === null || hasGoneOn(last, { sent, answeredMs, machineMs })
      const reliesMs = Math.min(ttlMs, ownerRelies * everyMs)
      last = { sent, answeredMs, machineMs, reliesMs, toleranceMs: clocksMayDisagree * everyMs, isSteady }
    },
    holds: () => {
      if (last?.isSteady !== true) {
        return false
      }
      const { monotonicMs, wallMs } = now()
      const passedMs = monotonicMs - last.sent.monotonicMs
      const apartMs = Math.abs(wallMs - last.sent.wallMs - passedMs)
      return passedMs >= 0 && passedMs < last.reliesMs && apartMs <= last.toleranceMs
    },
  }
}

/** Whether the machine's clock has gone on as ours has between two answers. */
function hasGoneOn(
  before: Confirmed,
  { sent, answeredMs, machineMs }: Pick<Confirmed, 'sent' | 'answeredMs' | 'machineMs'>,
): boolean {
  const wentMs = machineMs - before.machineMs
  return (
    wentMs >= sent.monotonicMs - before.answeredMs - machineClockStepMs &&
    wentMs <= answeredMs - before.sent.monotonicMs + machineClockStepMs
  )
}
