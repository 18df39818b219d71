import { formatDate } from './dates.js'
import { errorText } from './errors.js'
import { propertiesOf } from './properties.js'
import type { PowerShell } from './runtime.js'
import { textOf } from './text.js'
import { isArray, itemsOf, NetObject, PsDate, PsHash, PsObject, type Value, WmiObject } from './values.js'

/** Text that the host prints for values. Objects of the same kind that follow one another share a table. */
export function formatValues(values: readonly Value[], shell: PowerShell): string {
  let text = ''
  let group: Value[] = []
  const flush = (): void => {
    if (group.length > 0) text += shape(group)
    group = []
  }
  for (const value of values) {
    if (isObject(value)) {
      group.push(value)
      continue
    }
    flush()
    text += plain(value, shell)
  }
  flush()
  return text
}

function isObject(value: Value): boolean {
  return (
    value instanceof PsObject ||
    value instanceof WmiObject ||
    value instanceof PsHash ||
    (value instanceof NetObject &&
      Object.keys(value.get).length > 0 &&
      value.typeName !== 'System.Management.Automation.ErrorRecord' &&
      value.typeName !== 'System.Version')
  )
}

function plain(value: Value, shell: PowerShell): string {
  if (value === null) return ''
  if (value instanceof PsDate) return `\r\n${formatDate(value, 'dddd, MMMM d, yyyy h:mm:ss tt')}\r\n\r\n\r\n`
  if (isArray(value)) return formatValues(itemsOf(value), shell)
  if (value instanceof NetObject && value.typeName === 'System.Management.Automation.ErrorRecord')
    return errorText(value)
  return `${textOf(value)}\r\n`
}

function shape(group: readonly Value[]): string {
  const columns = propertiesOf(group[0] ?? null)
  if (group[0] instanceof PsHash)
    return table(
      ['Name', 'Value'],
      group.flatMap(it => propertiesOf(it).map(row => [row.name, cell(row.value)])),
    )
  return columns.length > 4 || group[0] instanceof WmiObject
    ? list(group)
    : table(
        columns.map(it => it.name),
        group.map(it =>
          columns.map(column => cell(propertiesOf(it).find(one => one.name === column.name)?.value ?? null)),
        ),
      )
}

export function cell(value: Value): string {
  if (isArray(value))
    return `{${itemsOf(value)
      .map(it => textOf(it))
      .join(', ')}}`
  if (value instanceof PsDate) return formatDate(value, 'G')
  return textOf(value)
}

/** Format-List. */
export function list(group: readonly Value[]): string {
  const blocks = group.map(it => {
    const rows = propertiesOf(it)
    const width = Math.max(0, ...rows.map(row => row.name.length))
    return rows.map(row => `${row.name.padEnd(width)} : ${cell(row.value)}\r\n`).join('')
  })
  return `\r\n\r\n${blocks.join('\r\n')}\r\n\r\n\r\n`
}

/** Format-Table. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, index) =>
    Math.max(head.length, ...rows.map(row => row[index]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `${cells.map((text, index) => text.padEnd(widths[index] ?? 0)).join(' ')}\r\n`
  return `\r\n${line(heads)}${line(heads.map(head => '-'.repeat(head.length)))}${rows.map(line).join('')}\r\n\r\n`
}
