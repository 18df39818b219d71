import { readFileSync, statSync } from 'node:fs'
import { parse } from 'yaml'
import { ConfigError, UsageError } from '../../errors.js'
import { findPersona } from '../../persona/load.js'
import {
  osFacts,
  type WindowsFile,
  type WindowsPersona,
  windowsPersonaSchema,
  windowsSections,
} from './schema.js'

const maxBytes = 4 * 1024 * 1024
const lists = [
  'registry',
  'services',
  'devices',
  'deviceChanges',
  'processes',
  'hotfixes',
  'answers',
  'events',
  'programs',
  'missing',
] as const
const maps = ['classes', 'eventTexts', 'files'] as const
/** Sections of which an overlay may say only what it changes. */
const shallow = ['os', 'state', 'storage', 'activation', 'memory', 'timing', 'ssh'] as const

const read = new Map<
  string,
  { readonly modified: number; readonly raw: unknown; readonly persona?: WindowsFile }
>()

function readRaw(file: string): { raw: unknown; modified: number } {
  const { mtimeMs, size } = statSync(file)
  const known = read.get(file)
  if (known?.modified === mtimeMs) return known
  if (size > maxBytes) throw mistake(file, `larger than ${maxBytes} bytes`)
  const entry = {
    modified: mtimeMs,
    raw: parse(readFileSync(file, 'utf8'), { maxAliasCount: 100 }) as unknown,
  }
  read.set(file, entry)
  return entry
}

function mistake(file: string, ...messages: readonly string[]): ConfigError {
  return new ConfigError(messages.map(message => ({ place: { file, line: 1, column: 1 }, message })))
}

/** Reads one file of a Windows persona. Throws ConfigError with every mistake in it. */
export function readWindowsPersona(file: string): WindowsFile {
  const { raw, modified } = readRaw(file)
  const known = read.get(file)
  if (known?.persona) return known.persona
  const result = windowsPersonaSchema.safeParse(raw)
  if (!result.success)
    throw mistake(
      file,
      ...result.error.issues.map(({ path, message }) => `${path.join(' › ') || 'persona'}: ${message}`),
    )
  read.set(file, { modified, raw, persona: result.data })
  return result.data
}

/** Whether a persona plays Windows: its file says `family: windows`. Throws UsageError where there is no such file. */
export function isWindowsPersona(names: string, folders: readonly string[]): boolean {
  const [first = ''] = names.split('+')
  const { raw } = readRaw(findPersona(first, folders))
  return typeof raw === 'object' && raw !== null && 'family' in raw && raw.family === 'windows'
}

/** Loads the persona of a Windows guest, whole, with mutants after a `+`. Throws ConfigError or UsageError. */
export function loadWindowsPersona(names: string, folders: readonly string[]): WindowsPersona {
  const [first = '', ...overlays] = names.split('+')
  const merged = overlays
    .map(name => withBases(overlayName(name, folders), folders, []))
    .reduce(lay, withBases(first, folders, []))
  const missing = windowsSections.filter(section => merged[section] === undefined)
  if (missing.length > 0)
    throw mistake(
      `${names}.yaml`,
      ...missing.map(section => `${section}: is missing, and nothing that it extends has it`),
    )
  const os = osFacts.safeParse(merged.os)
  if (!os.success)
    throw mistake(
      `${names}.yaml`,
      ...os.error.issues.map(issue => `os › ${issue.path.join(' › ')}: ${issue.message}`),
    )
  return merged as WindowsPersona
}

/** A mutant may have one name for all families: of Windows, `windows-NAME` is meant where there is one. */
function overlayName(name: string, folders: readonly string[]): string {
  try {
    findPersona(`windows-${name}`, folders)
    return `windows-${name}`
  } catch (error) {
    if (error instanceof UsageError) return name
    throw error
  }
}

function withBases(name: string, folders: readonly string[], seen: readonly string[]): WindowsFile {
  const file = findPersona(name, folders)
  if (seen.includes(file)) throw mistake(file, `extends itself: ${[...seen, file].join(' → ')}`)
  const own = readWindowsPersona(file)
  const bases = typeof own.extends === 'string' ? [own.extends] : (own.extends ?? [])
  const [first, ...more] = bases.map(base => withBases(base, folders, [...seen, file]))
  return first ? lay(more.reduce(lay, first), own) : own
}

/** Lays one persona over another: what it says wins, what it does not say stays. */
function lay(base: WindowsFile, overlay: WindowsFile): WindowsFile {
  const said = Object.fromEntries(Object.entries(overlay).filter(([, value]) => value !== undefined))
  const merged: WindowsFile = { ...base, ...said }
  for (const section of lists) Object.assign(merged, { [section]: [...base[section], ...overlay[section]] })
  for (const section of maps) Object.assign(merged, { [section]: { ...base[section], ...overlay[section] } })
  for (const section of shallow)
    if (overlay[section] && base[section])
      Object.assign(merged, { [section]: { ...base[section], ...written(overlay, section) } })
  merged.objects = { ...base.objects }
  for (const [name, fact] of Object.entries(overlay.objects)) {
    const before = base.objects[name]
    merged.objects[name] = before
      ? { ...before, ...fact, values: { ...before.values, ...fact.values } }
      : fact
  }
  if (overlay.kind === 'mutant' && base.kind !== 'mutant') {
    merged.kind = base.kind
    merged.persona = `${base.persona}+${overlay.persona}`
    merged.title = `${base.title}, ${overlay.title}`
  }
  return merged
}

/** Of a section with defaults, what the overlay itself says: a default must not undo what the base said. */
function written(overlay: WindowsFile, section: (typeof shallow)[number]): object {
  const values = overlay[section] ?? {}
  if (section !== 'state') return values
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => key === 'from' || !isDefault(key, value)),
  )
}

function isDefault(key: string, value: unknown): boolean {
  const defaults: Readonly<Record<string, unknown>> = windowsPersonaSchema.shape.state
    .unwrap()
    .parse({ from: 'assumed' })
  return JSON.stringify(defaults[key]) === JSON.stringify(value)
}
