import { type Given, holds } from './conditions.js'
import { checked, mistakeIn, parseYaml, remembered, requireSections, withBases } from './file.js'
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

/** Reads a persona from YAML text; `file` is its name in messages. Throws ConfigError with every mistake in it. */
export function parsePersona(text: string, file: string): Persona {
  return checked(parseYaml(text, file), personaSchema)
}

/** Reads one persona file. Throws ConfigError with every mistake in it. */
export const readPersona: (file: string) => Persona = remembered(parsePersona)

const kind = { read: readPersona, lay: applyOverlay }

/**
 * Loads a persona with all that it extends, and mutants after a `+`: `rhel-5.11+clock-off`. With a configuration,
 * the variants that hold in it are laid over the persona, below the mutants.
 */
export function loadPersona(names: string, folders: readonly string[], given?: Given): Persona {
  const [first = '', ...overlays] = names.split('+')
  const base = withBases(kind, first, folders)
  const variants = given ? base.variants.filter(variant => holds(variant, given)).map(({ lay }) => lay) : []
  return [...variants, ...overlays].map(name => withBases(kind, name, folders)).reduce(applyOverlay, base)
}

/** Loads the persona of a guest, whole, in a configuration. Throws ConfigError or UsageError. */
export function loadGuestPersona(names: string, folders: readonly string[], given: Given = {}): GuestPersona {
  const persona = loadPersona(names, folders, given)
  requireSections(persona, guestSections, names)
  return persona as GuestPersona
}

/** Loads the persona of a host, whole. Throws ConfigError or UsageError. */
export function loadHostPersona(names: string, folders: readonly string[]): HostPersona {
  const persona = loadPersona(names, folders)
  requireSections(persona, hostSections, names)
  return persona as HostPersona
}

/** Loads the persona of a host that is spoken to, whole. Throws ConfigError or UsageError. */
export function loadManagedHostPersona(names: string, folders: readonly string[]): ManagedHostPersona {
  const persona = loadHostPersona(names, folders)
  requireSections(persona, managedSections, names)
  if (managers.every(section => persona[section] === undefined)) {
    const message = `${managers.join(' or ')}: is missing, and nothing that it extends has it`
    throw mistakeIn(`${names}.yaml`, message)
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
