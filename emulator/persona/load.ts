import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { ConfigError, type Mistake, UsageError } from '../errors.js'
import { type Given, holds } from './conditions.js'
import { applyOverlay } from './overlay.js'
import { weakest } from './provenance.js'
import {
  type GuestPersona,
  guestSections,
  type HostPersona,
  hostSections,
  type ManagedHostPersona,
  managedSections,
  managers,
  type Persona,
  personaSchema,
} from './schema.js'

/** Where in a folder of personas a file may stand. */
const places = ['.', 'hosts', 'mutants', 'parts']
const maxBytes = 4 * 1024 * 1024

interface Read {
  readonly modified: number
  readonly persona: Persona
}
const read = new Map<string, Read>()

/** Reads one persona file. Throws ConfigError with every mistake in it. */
export function readPersona(file: string): Persona {
  const { mtimeMs, size } = statSync(file)
  const known = read.get(file)
  if (known?.modified === mtimeMs) return known.persona
  if (size > maxBytes)
    throw new ConfigError([{ place: { file, line: 1, column: 1 }, message: `larger than ${maxBytes} bytes` }])
  const persona = parsePersona(readFileSync(file, 'utf8'), file)
  read.set(file, { modified: mtimeMs, persona })
  return persona
}

/** Reads a persona from YAML text; `file` is its name in messages. Throws ConfigError with every mistake in it. */
export function parsePersona(text: string, file: string): Persona {
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
  const result = personaSchema.safeParse(document.toJS({ maxAliasCount: 100 }))
  if (result.success) return result.data
  throw new ConfigError(
    result.error.issues.flatMap(flatten).map(issue => ({
      place: at(offsetOf(document, issue.path)),
      message: `${issue.path.join(' › ') || 'persona'}: ${issue.message}`,
    })),
  )
}

type Issue = { readonly path: PropertyKey[]; readonly message: string }

/** Of a choice that fits nowhere, tells what the nearest alternative lacks. */
function flatten(issue: z.core.$ZodIssue): Issue[] {
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

/**
 * Loads a persona with all that it extends, and mutants after a `+`: `rhel-5.11+clock-off`. With a configuration,
 * the variants that hold in it are laid over the persona, below the mutants.
 */
export function loadPersona(names: string, folders: readonly string[], given?: Given): Persona {
  const [first = '', ...overlays] = names.split('+')
  const base = withBases(first, folders, [])
  const variants = given ? base.variants.filter(variant => holds(variant, given)).map(({ lay }) => lay) : []
  return [...variants, ...overlays].map(name => withBases(name, folders, [])).reduce(applyOverlay, base)
}

function withBases(name: string, folders: readonly string[], seen: readonly string[]): Persona {
  const file = findPersona(name, folders)
  if (seen.includes(file))
    throw new ConfigError([
      { place: { file, line: 1, column: 1 }, message: `extends itself: ${[...seen, file].join(' → ')}` },
    ])
  const own = readPersona(file)
  const bases = typeof own.extends === 'string' ? [own.extends] : (own.extends ?? [])
  const [first, ...more] = bases.map(base => withBases(base, folders, [...seen, file]))
  return first ? applyOverlay(more.reduce(applyOverlay, first), own) : own
}

function whole<Section extends keyof Persona>(
  persona: Persona,
  sections: readonly Section[],
  names: string,
): void {
  const missing = sections.filter(section => persona[section] === undefined)
  if (missing.length === 0) return
  throw new ConfigError(
    missing.map(section => ({
      place: { file: `${names}.yaml`, line: 1, column: 1 },
      message: `${section}: is missing, and nothing that it extends has it`,
    })),
  )
}

/** Loads the persona of a guest, whole, in a configuration. Throws ConfigError or UsageError. */
export function loadGuestPersona(names: string, folders: readonly string[], given: Given = {}): GuestPersona {
  const persona = loadPersona(names, folders, given)
  whole(persona, guestSections, names)
  return persona as GuestPersona
}

/** Loads the persona of a host, whole. Throws ConfigError or UsageError. */
export function loadHostPersona(names: string, folders: readonly string[]): HostPersona {
  const persona = loadPersona(names, folders)
  whole(persona, hostSections, names)
  return persona as HostPersona
}

/** Loads the persona of a host that is spoken to, whole. Throws ConfigError or UsageError. */
export function loadManagedHostPersona(names: string, folders: readonly string[]): ManagedHostPersona {
  const persona = loadHostPersona(names, folders)
  whole(persona, managedSections, names)
  if (managers.every(section => persona[section] === undefined)) {
    const message = `${managers.join(' or ')}: is missing, and nothing that it extends has it`
    throw new ConfigError([{ place: { file: `${names}.yaml`, line: 1, column: 1 }, message }])
  }
  return persona as ManagedHostPersona
}

/**
 * The weakest provenance of the facts that were used. Paths are sections and their keys, e.g. `kernel`,
 * `files /etc/os-release`, `commands uname -p`; undefined when none of them names a fact.
 */
export function weakestProvenance(persona: Persona, pathsUsed: Iterable<string>): string | undefined {
  const found: string[] = []
  for (const path of pathsUsed) {
    const [section = '', ...rest] = path.split(' ')
    const value: unknown = Object.hasOwn(persona, section) ? Reflect.get(persona, section) : undefined
    const key = rest.join(' ')
    const facts = key === '' ? (Array.isArray(value) ? value : [value]) : [valueAt(value, key)]
    for (const fact of facts) {
      const from = valueAt(fact, 'from')
      if (typeof from === 'string') found.push(from)
    }
  }
  return weakest(found)
}

function valueAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined
}
