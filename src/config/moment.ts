const dayMs = 86_400_000
const day = /^\d{4}-\d{2}-\d{2}$/
const moment = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/

/**
 * A moment by the calendar, in ms since 1970: `2026-12-24T18:00Z` with its zone, or a day, whose end in UTC is
 * meant. `null` when it is neither, or no such day exists.
 */
export function parseMomentMs(text: string): number | null {
  if (day.test(text)) {
    const start = Date.parse(`${text}T00:00:00Z`)
    const isDay = !Number.isNaN(start) && new Date(start).toISOString().startsWith(text)
    return isDay ? start + dayMs : null
  }
  const at = moment.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN
  return Number.isNaN(at) ? null : at
}
