import { UsageError } from '../../errors.js'
import {
  checked,
  findPersona,
  mistakeIn,
  parseYaml,
  remembered,
  requireSections,
  withBases,
} from '../../persona/file.js'
import {
  osFacts,
  type WindowsFile,
  type WindowsPersona,
  windowsPersonaSchema,
  windowsSections,
} from './schema.js'

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

const readData = remembered(parseYaml)
/** Reads one file of a Windows persona. Throws ConfigError with every mistake in it. */
const readWindowsPersona = remembered(
  (text, file): WindowsFile => checked(parseYaml(text, file), windowsPersonaSchema),
)
const kind = { read: readWindowsPersona, lay }

/** Whether a persona plays Windows: its file says `family: windows`. Throws UsageError where there is no such file. */
export function isWindowsPersona(names: string, folders: readonly string[]): boolean {
  const [first = ''] = names.split('+')
  const { data } = readData(findPersona(first, folders))
  return typeof data === 'object' && data !== null && 'family' in data && data.family === 'windows'
}

/** Loads the persona of a Windows guest, whole, with mutants after a `+`. Throws ConfigError or UsageError. */
export function loadWindowsPersona(names: string, folders: readonly string[]): WindowsPersona {
  const [first = '', ...overlays] = names.split('+')
  const merged = overlays
    .map(name => withBases(kind, overlayName(name, folders), folders))
    .reduce(lay, withBases(kind, first, folders))
  requireSections(merged, windowsSections, names)
  const os = osFacts.safeParse(merged.os)
  if (!os.success)
    throw mistakeIn(
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
