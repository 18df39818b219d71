import type { WindowsPersona } from '../persona/schema.js'

/** Local time as its parts, as SYSTEMTIME has them. */
export interface LocalTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly ms: number
  /** Minutes that local time is ahead of UTC. */
  readonly offsetMinutes: number
}

const minuteMs = 60_000

/** The time zone of an emulated guest. */
export class TimeZone {
  readonly facts: WindowsPersona['zone']

  constructor(facts: WindowsPersona['zone']) {
    this.facts = facts
  }

  /** Minutes that local time is ahead of UTC at an instant. */
  offsetMinutes(utcMs: number): number {
    return -this.facts.biasMinutes + (this.isDaylight(utcMs) ? 60 : 0)
  }

  isDaylight(utcMs: number): boolean {
    if (this.facts.daylight === 'none') return false
    const year = new Date(utcMs).getUTCFullYear()
    const bias = this.facts.biasMinutes * minuteMs
    // Second Sunday of March to first Sunday of November, at two o'clock local time.
    const start = sunday(year, 2, 2) + 2 * 60 * minuteMs + bias
    const end = sunday(year, 10, 1) + 60 * minuteMs + bias
    return utcMs >= start && utcMs < end
  }

  local(utcMs: number): LocalTime {
    const offsetMinutes = this.offsetMinutes(utcMs)
    const date = new Date(utcMs + offsetMinutes * minuteMs)
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      weekday: date.getUTCDay(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      ms: date.getUTCMilliseconds(),
      offsetMinutes,
    }
  }

  /** Reads a persona's `YYYY-MM-DD hh:mm:ss` in local time, in ms since 1970. */
  parse(text: string): number {
    const asUtc = Date.parse(`${text.replace(' ', 'T')}Z`)
    return asUtc - this.offsetMinutes(asUtc) * minuteMs
  }
}

function sunday(year: number, month: number, which: number): number {
  const first = new Date(Date.UTC(year, month, 1)).getUTCDay()
  return Date.UTC(year, month, 1 + ((7 - first) % 7) + (which - 1) * 7)
}

const two = (value: number): string => String(value).padStart(2, '0')
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** `20240131235959.123000-480`: a CIM datetime, microseconds as Windows has them. */
export function dmtf(zone: TimeZone, utcMs: number, micros = 0): string {
  const t = zone.local(utcMs)
  const sign = t.offsetMinutes < 0 ? '-' : '+'
  const offset = String(Math.abs(t.offsetMinutes)).padStart(3, '0')
  const fraction = String(t.ms * 1000 + micros).padStart(6, '0')
  return `${t.year}${two(t.month)}${two(t.day)}${two(t.hour)}${two(t.minute)}${two(t.second)}.${fraction}${sign}${offset}`
}

/** The short date of the United States as `M/d/yyyy`. */
export function shortDate(t: LocalTime): string {
  return `${t.month}/${t.day}/${t.year}`
}

/** `Sat 01/31/2026`, as %DATE% has it. */
export function cmdDate(t: LocalTime): string {
  return `${weekdays[t.weekday] ?? ''} ${two(t.month)}/${two(t.day)}/${t.year}`
}

/** `14:03:07.12`, as %TIME% has it: hours are padded with a space. */
export function cmdTime(t: LocalTime): string {
  return `${String(t.hour).padStart(2)}:${two(t.minute)}:${two(t.second)}.${two(Math.floor(t.ms / 10))}`
}

/** `2:03:07 PM` */
export function longTime(t: LocalTime): string {
  return `${t.hour % 12 || 12}:${two(t.minute)}:${two(t.second)} ${t.hour < 12 ? 'AM' : 'PM'}`
}

/** `02:03 PM`, as `dir` shows it. */
export function dirTime(t: LocalTime): string {
  return `${two(t.hour % 12 || 12)}:${two(t.minute)} ${t.hour < 12 ? 'AM' : 'PM'}`
}

/** `01/31/2026`, as `dir` shows it. */
export function dirDate(t: LocalTime): string {
  return `${two(t.month)}/${two(t.day)}/${t.year}`
}
