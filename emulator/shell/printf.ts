import type { Bytes } from '../files/bytes.js'

/** Text that was made, and whether a `\c` ended all output. */
interface Converted {
  readonly text: Bytes
  readonly stopped: boolean
}

const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

/** Reads the escapes of `echo -e` and of `%b`; `\c` ends all output. */
export function unescapeEcho(text: Bytes): Converted {
  const piece = /\\(0[0-7]{0,3}|x[0-9a-fA-F]{1,2}|[abcefnrtv\\])|[^\\]+|\\/g
  let result = ''
  for (const [all, code] of text.matchAll(piece)) {
    if (code === 'c') return { text: result, stopped: true }
    result += code === undefined ? all : escapeValue(code)
  }
  return { text: result, stopped: false }
}

function escapeValue(code: string): Bytes {
  const known = simple[code]
  if (known !== undefined) return known
  const value = code.startsWith('x') ? Number.parseInt(code.slice(1), 16) : Number.parseInt(code || '0', 8)
  return String.fromCharCode(value & 0xff)
}

/** Formats as `printf(1)` does: the format is used again while arguments remain. */
export function formatPrintf(format: Bytes, args: readonly Bytes[]): { text: Bytes; errors: string[] } {
  const errors: string[] = []
  const values = [...args]
  let text = ''
  let more = true
  while (more) {
    const before = values.length
    const turn = formatOnce(format, values, errors)
    text += turn.text
    more = !turn.stopped && values.length > 0 && values.length < before
  }
  return { text, errors }
}

const piece =
  /\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|[abcefnrtv\\"'])|%([-+ 0#]*)(\*|\d+)?(?:(\.)(\*|\d+)?)?([a-zA-Z%])|[^\\%]+|[\\%]/g

function formatOnce(format: Bytes, values: Bytes[], errors: string[]): Converted {
  let text = ''
  for (const [all, code, flags = '', width = '0', point, precision = '0', kind] of format.matchAll(piece)) {
    if (code === 'c') return { text, stopped: true }
    if (code !== undefined) text += /["']/.test(code) ? code : escapeValue(code)
    else if (kind === undefined) text += all
    else if (kind === '%') text += '%'
    else {
      const wide = Number(width === '*' ? values.shift() : width)
      const precise = point === undefined ? undefined : Number(precision === '*' ? values.shift() : precision)
      const converted = convert(kind, values.shift(), flags, precise, errors)
      text += pad(converted.text, wide < 0 ? `${flags}-` : flags, Math.abs(wide), /[diouxXeEfFgG]/.test(kind))
      if (converted.stopped) return { text, stopped: true }
    }
  }
  return { text, stopped: false }
}

function pad(text: Bytes, flags: string, width: number, numeric: boolean): Bytes {
  if (text.length >= width) return text
  if (flags.includes('-')) return text.padEnd(width)
  if (!flags.includes('0') || !numeric) return text.padStart(width)
  const sign = /^[-+ ]/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}

function convert(
  kind: string,
  value: Bytes | undefined,
  flags: string,
  precision: number | undefined,
  errors: string[],
): Converted {
  const done = (text: Bytes): Converted => ({ text, stopped: false })
  switch (kind) {
    case 's':
      return done((value ?? '').slice(0, precision))
    case 'b':
      return unescapeEcho(value ?? '')
    case 'q':
      return done(`'${(value ?? '').replace(/'/g, "'\\''")}'`)
    case 'c':
      return done((value ?? '').charAt(0))
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
      return done(integer(kind, readInteger(value, errors), flags, precision))
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      return done(floating(kind, readNumber(value, errors), flags, precision ?? 6))
    default:
      errors.push(`%${kind}: invalid directive`)
      return done('')
  }
}

function readInteger(value: Bytes | undefined, errors: string[]): bigint {
  const text = (value ?? '').trim()
  if (text === '') {
    if (value !== undefined) errors.push(`${value}: expected numeric value`)
    return 0n
  }
  if (/^["']/.test(text)) return BigInt(text.charCodeAt(1) || 0)
  const [, sign = '', digits = '', rest = ''] =
    /^([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)?(.*)$/s.exec(text) ?? []
  if (digits === '') errors.push(`${text}: expected numeric value`)
  else if (rest !== '') errors.push(`${text}: not completely converted`)
  const octal = /^0[0-7]+$/.test(digits)
  const magnitude = digits === '' ? 0n : BigInt(octal ? `0o${digits.slice(1)}` : digits)
  return sign === '-' ? -magnitude : magnitude
}

function readNumber(value: Bytes | undefined, errors: string[]): number {
  const text = (value ?? '').trim()
  const number = Number(text)
  if (!Number.isNaN(number)) return number
  errors.push(`${text}: expected numeric value`)
  const partial = Number.parseFloat(text)
  return Number.isNaN(partial) ? 0 : partial
}

function integer(kind: string, value: bigint, flags: string, precision: number | undefined): Bytes {
  const unsigned = /[uoxX]/.test(kind) ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value)
  const negative = unsigned < 0n
  let digits = (negative ? -unsigned : unsigned).toString(kind === 'o' ? 8 : /[xX]/.test(kind) ? 16 : 10)
  if (precision !== undefined) digits = digits.padStart(precision, '0')
  if (flags.includes('#') && value !== 0n)
    digits = kind === 'o' ? `0${digits}` : /[xX]/.test(kind) ? `0x${digits}` : digits
  if (kind === 'X') digits = digits.toUpperCase()
  const signed = kind === 'd' || kind === 'i'
  return `${negative ? '-' : signed && flags.includes('+') ? '+' : signed && flags.includes(' ') ? ' ' : ''}${digits}`
}

function floating(kind: string, value: number, flags: string, precision: number): Bytes {
  const lower = kind.toLowerCase()
  let text: string
  if (lower === 'f') text = value.toFixed(Math.min(precision, 100))
  else if (lower === 'e')
    text = value.toExponential(Math.min(precision, 100)).replace(/e([-+])(\d)$/, 'e$10$2')
  else text = String(Number(value.toPrecision(Math.max(1, Math.min(precision, 100)))))
  if (flags.includes('+') && value >= 0) text = `+${text}`
  return kind === lower ? text : text.toUpperCase()
}
