import { ticksOf } from './dates.js'
import { fail } from './errors.js'
import { propertiesOf } from './properties.js'
import { numberText, textOf } from './text.js'
import { isArray, itemsOf, PsChar, PsDate, PsObject, TypeRef, type Value } from './values.js'

/** ConvertTo-Json of Windows PowerShell: beyond the depth there is only text. */
export function toJson(value: Value, depth: number, compress: boolean): string {
  return write(value, depth, compress, '')
}

function write(value: Value, depth: number, compress: boolean, indent: string): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string' || value instanceof PsChar) return quoted(textOf(value))
  // JavaScriptSerializer's form, which Windows PowerShell kept.
  if (value instanceof PsDate)
    return `"\\/Date(${(ticksOf(new PsDate(value.ms, 'Utc', 0)) - 621_355_968_000_000_000n) / 10_000n})\\/"`
  if (value instanceof TypeRef) return quoted(value.name)
  const inner = `${indent}    `
  if (isArray(value)) {
    if (depth < 0) return quoted(textOf(value))
    const items = itemsOf(value).map(it => write(it, depth - 1, compress, inner))
    if (items.length === 0) return compress ? '[]' : '[\r\n\r\n]'
    return compress
      ? `[${items.join(',')}]`
      : `[\r\n${items.map(it => `${inner}${it}`).join(',\r\n')}\r\n${indent}]`
  }
  if (depth < 0) return quoted(textOf(value))
  const pairs = propertiesOf(value).map(
    it =>
      [
        quoted(it.name),
        write(it.value, depth - 1, compress, `${inner}${' '.repeat(it.name.length + 5)}`),
      ] as const,
  )
  if (compress) return `{${pairs.map(([name, text]) => `${name}:${text}`).join(',')}}`
  if (pairs.length === 0) return '{\r\n\r\n}'
  return `{\r\n${pairs.map(([name, text]) => `${inner}${name}:  ${text}`).join(',\r\n')}\r\n${indent}}`
}

/** Windows PowerShell escapes what could end a script in HTML, too. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[<>'&]/g, it => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** ConvertFrom-Json. Throws PsError. */
export function fromJson(text: string): Value {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw fail({
      message: 'Invalid JSON primitive: .',
      type: 'System.ArgumentException',
      id: 'System.ArgumentException,Microsoft.PowerShell.Commands.ConvertFromJsonCommand',
      category: 'NotSpecified',
      activity: 'ConvertFrom-Json',
    })
  }
  return read(parsed)
}

function read(value: unknown): Value {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value
  if (Array.isArray(value)) return value.map(read)
  if (typeof value === 'object')
    return new PsObject(
      'System.Management.Automation.PSCustomObject',
      Object.entries(value).map(([name, it]) => [name, read(it)] as const),
    )
  return null
}
