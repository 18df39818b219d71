import { UnknownOutput } from '../shared/unknown-output.js'

/** A value of what vim-cmd prints: a record, an array, or something simple; `null` for what is unset. */
export type DumpValue = string | number | boolean | null | DumpRecord | readonly DumpValue[]

/** A record of what vim-cmd prints: its fields by name. */
export type DumpRecord = ReadonlyMap<string, DumpValue>

/**
 * Reads what vim-cmd prints of an object. A caption may come first. Up to 6.0 each record begins with `dynamicType` and
 * its last field has a comma, later neither; quotes inside of a text are not escaped, and a text may have several lines.
 * Throws UnknownOutput for what is none, or ends before its end.
 */
export function parseDump(text: string): DumpValue {
  const lines = text.split(/\r?\n/)
  const first = lines.findIndex(line => /^\([\w.]+\) (?:[{[]|null)/.test(line))
  if (first < 0) {
    throw new UnknownOutput('what vim-cmd prints', text.trim())
  }
  let at = first

  const next = (): string => {
    at += 1
    const line = lines[at]
    if (line === undefined) {
      throw new UnknownOutput('what vim-cmd prints, which ends too early', text.trim().slice(-200))
    }
    return line.trim()
  }
  const record = (): DumpRecord => {
    const fields = new Map<string, DumpValue>()
    for (let line = next(); !/^\},?$/.test(line); line = next()) {
      const [, name, rest = ''] = /^(\w+) = (.*)$/.exec(line) ?? []
      if (name !== undefined) {
        fields.set(name, value(rest))
      }
    }
    return fields
  }
  const array = (): readonly DumpValue[] => {
    const items: DumpValue[] = []
    for (let line = next(); !/^\],?$/.test(line); line = next()) {
      if (line !== '') {
        items.push(value(line))
      }
    }
    return items
  }
  const value = (given: string): DumpValue => {
    const written = given.replace(/^\([\w.]+\) /, '')
    const bare = written.replace(/,$/, '')
    if (bare === '{') {
      return record()
    }
    if (bare === '[') {
      return array()
    }
    const inline = /^\[(.*)\]$/.exec(bare)?.[1]
    if (inline !== undefined) {
      return (inline.match(/"[^"]*"|'[^']*'|[^,\s]+/g) ?? []).map(simple)
    }
    if (bare.startsWith('"')) {
      let whole = written
      while (!/^"[\s\S]*",?$/.test(whole)) {
        whole += `\n${next()}`
      }
      return whole.replace(/,$/, '').slice(1, -1)
    }
    return simple(bare)
  }
  return value(lines[first] ?? '')
}

function simple(text: string): DumpValue {
  if (text === '<unset>' || text === 'null') {
    return null
  }
  if (text === 'true' || text === 'false') {
    return text === 'true'
  }
  if (/^-?\d+(?:\.\d+)?$/.test(text)) {
    return Number(text)
  }
  return text.replace(/^(["'])(.*)\1$/, '$2')
}

/** The value at the end of a path of fields; `undefined` where there is no such field. */
export function at(value: DumpValue | undefined, ...path: readonly string[]): DumpValue | undefined {
  return path.reduce<DumpValue | undefined>(
    (here, name) => (here instanceof Map ? (here as DumpRecord).get(name) : undefined),
    value,
  )
}

/** A text at the end of a path. Throws UnknownOutput where there is none. */
export function textAt(value: DumpValue, ...path: readonly string[]): string {
  const found = at(value, ...path)
  if (typeof found !== 'string') {
    throw new UnknownOutput(`what vim-cmd prints without "${path.join('.')}"`, String(found))
  }
  return found
}

/** A number at the end of a path; `null` where there is none. */
export function numberAt(value: DumpValue, ...path: readonly string[]): number | null {
  const found = at(value, ...path)
  return typeof found === 'number' ? found : null
}

/** A list at the end of a path; empty where there is none. */
export function listAt(value: DumpValue, ...path: readonly string[]): readonly DumpValue[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? (found as readonly DumpValue[]) : []
}
