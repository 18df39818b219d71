import { InfraError } from '../../../config/errors.js'
import type { CommandResult } from '../../machine.js'
import { peerText } from '../../trouble.js'

/** An error in any language: a line that ends in a colon, and one with a description (`ERROR:`, `Description = …`). */
const errorForm = /:[ \t]*\r?\n[^\n=]+ = /

/** One object as wmic prints it: every value is text, and null cannot be told from an empty text. */
export type WmicRow = Readonly<Record<string, string>>

/**
 * The objects of a query, from what `wmic … get … /value` printed. Throws InfraError (`command`) for anything that is
 * neither objects nor a word that there are none: an empty answer of a broken WMI is not an answer. That word is in the
 * language of the guest, and beside it may stand what a login printed: it is known by its form alone.
 */
export function wmicQuery({ exit, stdout, stderr }: CommandResult, properties: readonly string[]): WmicRow[] {
  const said = stderr.text.trim()
  if (exit.kind !== 'code' || exit.code !== 0) {
    const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
    throw refused(`${how}: ${said || stdout.text.trim()}`)
  }
  if (stdout.truncated) {
    throw refused('more came than was kept')
  }
  const rows = parseWmic(stdout.text, properties)
  if (rows.length === 0 && (/\S/.test(stdout.text) || said === '' || errorForm.test(said))) {
    throw refused(`neither objects nor a word that there are none: ${said || stdout.text.trim()}`)
  }
  return rows
}

/**
 * Reads `Name=value` lines. The properties of an object come once each, in alphabetical order: the first name that
 * comes again begins the next object. A line that begins with no property's name goes on with the value before it.
 */
export function parseWmic(text: string, properties: readonly string[]): WmicRow[] {
  const names = new Map(properties.map(name => [name.toLowerCase(), name]))
  const rows: Record<string, string>[] = []
  let current: Record<string, string> | null = null
  let last: string | null = null
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    const name = at < 0 ? undefined : names.get(line.slice(0, at).toLowerCase())
    if (name !== undefined) {
      if (current === null || name in current) {
        current = {}
        rows.push(current)
      }
      current[name] = line.slice(at + 1)
      last = name
    } else if (current !== null && last !== null) {
      current[last] += `\n${line}`
    }
  }
  for (const row of rows) {
    for (const name of Object.keys(row)) {
      row[name] = unescapeXml((row[name] ?? '').replace(/[\r\n]+$/, '').replace(/ +$/, ''))
    }
  }
  const broken = rows.find(row => properties.some(name => !(name in row)))
  if (broken !== undefined) {
    throw refused(`an object without all of its properties: ${Object.keys(broken).join(', ')}`)
  }
  return rows
}

/** The stylesheet of `/value` leaves XML's own characters as entities. */
function unescapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return text.replace(/&(amp|lt|gt|quot);/g, (_, name: string) => entities[name] ?? '')
}

/** An array as wmic prints it, `{"a","b"}` or `{1,2}`; `null` for a text that is none. */
export function parseWmicArray(text: string): string[] | null {
  const inner = /^\{([\s\S]*)\}$/.exec(text.trim())?.[1]
  if (inner === undefined) {
    return null
  }
  if (!inner.trimStart().startsWith('"')) {
    return inner === '' ? [] : inner.split(',').map(item => item.trim())
  }
  // Quotes within a text are not escaped: a text ends where a quote is followed by a comma and another quote.
  return inner
    .trim()
    .replace(/^"|"$/g, '')
    .split(/",\s*"/)
}

function refused(what: string): InfraError {
  return new InfraError(`wmic: ${peerText(what)}`, { cause: 'guest', where: 'wmic', code: 'command' })
}
