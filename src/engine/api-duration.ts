import type { Duration } from '../api/duration.js'
import { parseDurationMs } from '../config/units.js'

/** A module's duration in ms; throws TypeError when it is none. */
export function durationMs(duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : parseDurationMs(duration)
  if (ms === null || !Number.isFinite(ms) || ms < 0) {
    throw new TypeError(`"${duration}" is no duration: expected a number of ms, or a text such as "30s"`)
  }
  return ms
}
