import type { PsDate } from './values.js'

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** Ticks of 100 ns since 0001-01-01 at 1970-01-01. */
const epochTicks = 621_355_968_000_000_000n

/** What a date shows, as a date in UTC. */
function shown(date: PsDate): Date {
  return new Date(date.ms + date.offset * 60_000)
}

/** Its ticks: those of what it shows. */
export function ticksOf(date: PsDate): bigint {
  return BigInt(shown(date).getTime()) * 10_000n + epochTicks
}

/** One of a date's numbers by the name of its property; undefined when it is none. */
export function datePart(date: PsDate, name: string): number | undefined {
  const it = shown(date)
  switch (name) {
    case 'year':
      return it.getUTCFullYear()
    case 'month':
      return it.getUTCMonth() + 1
    case 'day':
      return it.getUTCDate()
    case 'hour':
      return it.getUTCHours()
    case 'minute':
      return it.getUTCMinutes()
    case 'second':
      return it.getUTCSeconds()
    case 'millisecond':
      return it.getUTCMilliseconds()
    default:
      return undefined
  }
}

export function dayOfWeek(date: PsDate): string {
  return days[shown(date).getUTCDay()] ?? ''
}

const standard: Readonly<Record<string, string>> = {
  s: "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
  o: "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
  O: "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
  u: "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
  r: "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
  d: 'M/d/yyyy',
  t: 'h:mm tt',
  T: 'h:mm:ss tt',
  g: 'M/d/yyyy h:mm tt',
  G: 'M/d/yyyy h:mm:ss tt',
  D: 'dddd, MMMM d, yyyy',
  f: 'dddd, MMMM d, yyyy h:mm tt',
  F: 'dddd, MMMM d, yyyy h:mm:ss tt',
}

/** Formats a date. See learn.microsoft.com/dotnet/standard/base-types/custom-date-and-time-format-strings. */
export function formatDate(date: PsDate, format: string): string {
  const it = shown(date)
  const pattern = format.length === 1 ? (standard[format] ?? standard.G ?? '') : format
  const two = (value: number): string => String(value).padStart(2, '0')
  const ticks = `${String(it.getUTCMilliseconds()).padStart(3, '0')}0000`
  return pattern.replace(
    /'([^']*)'|"([^"]*)"|\\(.)|d{1,4}|M{1,4}|y{2,4}|HH?|hh?|mm?|ss?|f{1,7}|F{1,7}|tt?|K|zzz|zz|z/g,
    (token, a?: string, b?: string, c?: string) => {
      if (a !== undefined || b !== undefined || c !== undefined) return a ?? b ?? c ?? ''
      const hour = it.getUTCHours()
      switch (token) {
        case 'yyyy':
          return String(it.getUTCFullYear()).padStart(4, '0')
        case 'yy':
          return two(it.getUTCFullYear() % 100)
        case 'MMMM':
          return months[it.getUTCMonth()] ?? ''
        case 'MMM':
          return (months[it.getUTCMonth()] ?? '').slice(0, 3)
        case 'MM':
          return two(it.getUTCMonth() + 1)
        case 'M':
          return String(it.getUTCMonth() + 1)
        case 'dddd':
          return days[it.getUTCDay()] ?? ''
        case 'ddd':
          return (days[it.getUTCDay()] ?? '').slice(0, 3)
        case 'dd':
          return two(it.getUTCDate())
        case 'd':
          return String(it.getUTCDate())
        case 'HH':
          return two(hour)
        case 'H':
          return String(hour)
        case 'hh':
          return two(hour % 12 || 12)
        case 'h':
          return String(hour % 12 || 12)
        case 'mm':
          return two(it.getUTCMinutes())
        case 'm':
          return String(it.getUTCMinutes())
        case 'ss':
          return two(it.getUTCSeconds())
        case 's':
          return String(it.getUTCSeconds())
        case 'tt':
          return hour < 12 ? 'AM' : 'PM'
        case 't':
          return hour < 12 ? 'A' : 'P'
        case 'K':
          return date.kind === 'Utc' ? 'Z' : date.kind === 'Local' ? offsetText(date.offset, true) : ''
        case 'zzz':
          return offsetText(date.offset, true)
        case 'zz':
        case 'z':
          return offsetText(date.offset, false)
        default:
          return token.startsWith('F')
            ? ticks.slice(0, token.length).replace(/0+$/, '')
            : ticks.slice(0, token.length)
      }
    },
  )
}

function offsetText(minutes: number, full: boolean): string {
  const sign = minutes < 0 ? '-' : '+'
  const hours = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')
  return full ? `${sign}${hours}:${String(Math.abs(minutes) % 60).padStart(2, '0')}` : `${sign}${hours}`
}
