import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { ConfigError, type Mistake, UsageError } from '../errors.js'

/** Where in a folder of personas a file may stand. */
const places = ['.', 'hosts', 'mutants', 'parts']
const maxBytes = 4 * 1024 * 1024

/** The data of a persona's file, which knows where everything stands in it. */
export interface PersonaData {
  readonly data: unknown
  /** The place of the nearest part of the file to a path. */
  place(path: readonly PropertyKey[]): Mistake['place']
}

/** Finds a persona's file by its name in the folders, or takes it as a path. Throws UsageError. */
export function findPersona(nameOrPath: string, folders: readonly string[]): string {
  if (/[\\/]|\.ya?ml$/.test(nameOrPath)) {
    if (existsSync(nameOrPath)) return resolve(nameOrPath)
  } else {
    for (const folder of folders) {
      for (const place of places) {
        const file = join(folder, place, `${nameOrPath}.yaml`)
        if (existsSync(file)) return file
      }
    }
  }
  throw new UsageError(`no persona ${nameOrPath} in ${folders.join(', ')}`)
}

/** One mistake in a file as a whole. */
export function mistakeIn(file: string, ...messages: readonly string[]): ConfigError {
  return new ConfigError(messages.map(message => ({ place: { file, line: 1, column: 1 }, message })))
}

/** Keeps what was made of a file until the file changes. Throws ConfigError for one that is too large. */
export function remembered<Made>(make: (text: string, file: string) => Made): (file: string) => Made {
  const known = new Map<string, { readonly modified: number; readonly made: Made }>()
  return file => {
    const { mtimeMs, size } = statSync(file)
    const before = known.get(file)
    if (before?.modified === mtimeMs) return before.made
    if (size > maxBytes) throw mistakeIn(file, `larger than ${maxBytes} bytes`)
    const made = make(readFileSync(file, 'utf8'), file)
    known.set(file, { modified: mtimeMs, made })
    return made
  }
}

/** Parses a persona's text; `file` is its name in messages. Throws ConfigError with every mistake in its YAML. */
export function parseYaml(text: string, file: string): PersonaData {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const at = (offset: number): Mistake['place'] => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(error => ({
        place: at(error.pos[0]),
        message: error.message.split('\n')[0] ?? '',
      })),
    )
  }
  return {
    data: document.toJS({ maxAliasCount: 100 }) as unknown,
    place: path => at(offsetOf(document, path)),
  }
}

/** What a persona's file says, by its schema. Throws ConfigError with every mistake in it. */
export function checked<Schema extends z.ZodType>(
  { data, place }: PersonaData,
  schema: Schema,
): z.output<Schema> {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  throw new ConfigError(
    result.error.issues.flatMap(flatten).map(issue => ({
      place: place(issue.path),
      message: `${issue.path.join(' › ') || 'persona'}: ${issue.message}`,
    })),
  )
}

type Issue = { readonly path: PropertyKey[]; readonly message: string }

/** Of a choice that fits nowhere, tells what the nearest alternative lacks. */
function flatten(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => ({ path: [...issue.path, key], message: 'unknown key' }))
  if (issue.code !== 'invalid_union' || issue.errors.length === 0)
    return [{ path: issue.path, message: issue.message }]
  const [nearest] = [...issue.errors].sort((a, b) => a.length - b.length)
  const inner = (nearest ?? [])
    .flatMap(flatten)
    .map(({ path, message }) => ({ path: [...issue.path, ...path], message }))
  return inner.length > 0 ? inner : [{ path: issue.path, message: issue.message }]
}

/** Where the nearest part of the file to a path stands. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    if (isMap(parent)) {
      const pair = parent.items.find(item => isScalar(item.key) && item.key.value === path[length - 1])
      if (pair && isScalar(pair.key) && pair.key.range) return pair.key.range[0]
    }
    const node = document.getIn(path.slice(0, length), true)
    if (node && typeof node === 'object' && 'range' in node && Array.isArray(node.range))
      return Number(node.range[0])
  }
  return 0
}

/** How a kind of persona is read, and laid over another one. */
export interface PersonaKind<Persona> {
  read(file: string): Persona
  lay(base: Persona, overlay: Persona): Persona
}

/** Reads a persona with all that it extends, the later over the earlier. Throws ConfigError or UsageError. */
export function withBases<Persona extends { readonly extends?: string | string[] | undefined }>(
  kind: PersonaKind<Persona>,
  name: string,
  folders: readonly string[],
  seen: readonly string[] = [],
): Persona {
  const file = findPersona(name, folders)
  if (seen.includes(file)) throw mistakeIn(file, `extends itself: ${[...seen, file].join(' → ')}`)
  const own = kind.read(file)
  const bases = typeof own.extends === 'string' ? [own.extends] : (own.extends ?? [])
  const [first, ...more] = bases.map(base => withBases(kind, base, folders, [...seen, file]))
  return first ? kind.lay(more.reduce(kind.lay, first), own) : own
}

/** Throws ConfigError where a persona lacks a section, with all that it extends. */
export function requireSections<Persona extends object>(
  persona: Persona,
  sections: readonly (keyof Persona & string)[],
  names: string,
): void {
  const missing = sections.filter(section => persona[section] === undefined)
  if (missing.length > 0) {
    throw mistakeIn(
      `${names}.yaml`,
      ...missing.map(section => `${section}: is missing, and nothing that it extends has it`),
    )
  }
}
