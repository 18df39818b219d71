import type { CimType } from './classes.js'

/** A property of a WMI object: 64-bit numbers are `bigint`, times `Date`. */
export type WmiValue = null | string | number | bigint | boolean | Date | readonly WmiScalar[]
/** One element of an array. */
export type WmiScalar = string | number | bigint | boolean | Date

/** What came is not of the type that the class has. */
export class WmiValueError extends Error {
  override readonly name = 'WmiValueError'
}

/**
 * A value from its text. `null` and an empty text are the same: wmic cannot tell them apart. Throws WmiValueError for a
 * text that is none of its type.
 */
export function wmiValue(text: string | readonly string[] | null, type: CimType): WmiValue {
  if (text === null || text === '') {
    return null
  }
  if (type.endsWith('[]')) {
    const element = type.slice(0, -2) as CimType
    // PowerShell hands out an array of one as it is, and some providers a single value in its place.
    const list = typeof text === 'string' ? [text] : text
    return list.map(item => scalar(item, element))
  }
  if (typeof text !== 'string') {
    throw new WmiValueError(`an array where ${type} was expected`)
  }
  return scalar(text, type)
}

const ranges: Readonly<Record<string, readonly [least: bigint, most: bigint]>> = {
  uint8: [0n, 0xffn],
  uint16: [0n, 0xffffn],
  uint32: [0n, 0xffffffffn],
  uint64: [0n, 0xffffffffffffffffn],
  sint16: [-0x8000n, 0x7fffn],
  sint32: [-0x80000000n, 0x7fffffffn],
}

function scalar(text: string, type: CimType): WmiScalar {
  if (type === 'string') {
    return text
  }
  if (type === 'boolean') {
    const truth = /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : null
    return truth ?? wrong(text, type)
  }
  if (type === 'datetime') {
    return parseDmtf(text) ?? wrong(text, type)
  }
  const [least, most] = ranges[type] ?? [0n, -1n]
  const value = /^-?\d{1,20}$/.test(text.trim()) ? BigInt(text.trim()) : wrong(text, type)
  if (value < least || value > most) {
    return wrong(text, type)
  }
  return type === 'uint64' ? value : Number(value)
}

function wrong(text: string, type: CimType): never {
  throw new WmiValueError(`"${text.slice(0, 40)}" is no ${type}`)
}

const minuteMs = 60_000

/**
 * A point of time in DMTF form, `yyyymmddHHMMSS.mmmmmmsUUU`: local time and its offset from UTC in minutes
 * (https://learn.microsoft.com/en-us/windows/win32/wmisdk/cim-datetime). `null` when it is not one: stars stand for
 * what is not known, and an interval has a colon. Precise to the ms.
 */
export function parseDmtf(text: string): Date | null {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})([+-])(\d{3})$/.exec(text.trim())
  if (match === null) {
    return null
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0] = match
    .slice(1, 8)
    .map(Number)
  const local = Date.UTC(year, month - 1, day, hour, minute, second, Math.floor(micros / 1000))
  const offset = Number(match[9]) * minuteMs * (match[8] === '-' ? -1 : 1)
  const isReal = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60
  return isReal ? new Date(local - offset) : null
}

/** A time for a WMI condition, in UTC. */
export function formatDmtf(date: Date): string {
  const digits = date.toISOString().replace(/[-:TZ]/g, '')
  return `${digits.slice(0, 14)}.${digits.slice(15, 18)}000+000`
}
