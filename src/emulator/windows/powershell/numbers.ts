import { formatDate } from './dates.js'
import { numberText, textOf } from './text.js'
import { PsDate, type Value } from './values.js'

/** Formats a number. See learn.microsoft.com/dotnet/standard/base-types/standard-numeric-format-strings. */
export function formatNumber(value: number | bigint, format: string): string {
  const match = /^([A-Za-z])(\d*)$/.exec(format)
  if (!match) return customNumber(Number(value), format)
  const [, letter = '', digits = ''] = match
  const count = digits === '' ? undefined : Number(digits)
  switch (letter.toLowerCase()) {
    case 'x': {
      const bits = typeof value === 'bigint' ? 64n : 32n
      const hex = BigInt.asUintN(Number(bits), BigInt(value))
        .toString(16)
        .padStart(count ?? 0, '0')
      return letter === 'X' ? hex.toUpperCase() : hex
    }
    case 'd':
      return `${Number(value) < 0 ? '-' : ''}${String(value)
        .replace('-', '')
        .padStart(count ?? 0, '0')}`
    case 'n':
      return Number(value)
        .toFixed(count ?? 2)
        .replace(/\B(?=(\d{3})+(?!\d)(?=\.|$))/g, ',')
    case 'f':
      return Number(value).toFixed(count ?? 2)
    case 'p':
      return `${(Number(value) * 100).toFixed(count ?? 2)} %`
    case 'e':
      return Number(value)
        .toExponential(count ?? 6)
        .replace(
          /e([+-])(\d+)$/,
          (_, sign: string, power: string) => `${letter}${sign}${power.padStart(3, '0')}`,
        )
    default:
      return typeof value === 'bigint' ? String(value) : numberText(value)
  }
}

function customNumber(value: number, format: string): string {
  const [whole = '', fraction = ''] = format.split('.')
  const fixed = Math.abs(value).toFixed(fraction.length)
  const [left = '', right = ''] = fixed.split('.')
  const zeros = (whole.match(/0/g) ?? []).length
  const grouped = whole.includes(',')
  let shown = left.padStart(zeros, '0')
  if (grouped) shown = shown.replace(/\B(?=(\d{3})+$)/g, ',')
  const needed = (fraction.match(/0/g) ?? []).length
  const kept = right.slice(0, needed) + right.slice(needed).replace(/0+$/, '')
  return `${value < 0 ? '-' : ''}${shown}${kept === '' ? '' : `.${kept}`}`
}

/** One value by a format: of `-f`, ToString and [string]::Format. */
export function formatValue(value: Value, format: string): string {
  if (typeof value === 'number' || typeof value === 'bigint') return formatNumber(value, format)
  if (value instanceof PsDate) return formatDate(value, format)
  return textOf(value)
}

/** `-f`: puts values into a format with `{0,10:x4}`. */
export function composite(format: string, args: readonly Value[]): string | undefined {
  let missing = false
  const text = format.replace(
    /\{\{|\}\}|\{(\d+)(?:,(-?\d+))?(?::([^}]*))?\}/g,
    (token, index?: string, width?: string, inner?: string) => {
      if (token === '{{') return '{'
      if (token === '}}') return '}'
      const at = Number(index)
      if (at >= args.length) missing = true
      const value = args[at] ?? null
      const shown = inner === undefined || inner === '' ? textOf(value) : formatValue(value, inner)
      const columns = Number(width ?? 0)
      return columns < 0 ? shown.padEnd(-columns) : shown.padStart(columns)
    },
  )
  return missing ? undefined : text
}
