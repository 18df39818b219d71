import { parseDurationMs } from '../config/units.js'

/** A time span: a number of milliseconds, or a number with its unit, such as `'30s'` or `'10m'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`

/** A duration in ms; throws TypeError when it is none. */
export function durationMs(duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : parseDurationMs(duration)
  if (ms === null || !Number.isFinite(ms) || ms < 0) {
    throw new TypeError(`"${duration}" is not a duration: expected a number of ms, or a text such as "30s"`)
  }
  return ms
}
