import type { Persona } from './schema.js'

/** Sections of which the later file's entries are added to the earlier's. */
const lists = ['programs', 'missing', 'log', 'processes', 'modules', 'variants', 'pci'] as const
/** Sections that are laid over each other entry by entry; `null` takes one away. */
const maps = ['files', 'commands'] as const

/**
 * Lays one persona over another: what it says wins, what it does not say stays. A mutant keeps the name and kind of
 * what it is laid over.
 */
export function applyOverlay(base: Persona, overlay: Persona): Persona {
  const merged: Persona = { ...base, ...withoutUndefined(overlay) }
  for (const section of lists) Object.assign(merged, { [section]: [...base[section], ...overlay[section]] })
  for (const section of maps) Object.assign(merged, { [section]: { ...base[section], ...overlay[section] } })
  if (overlay.kind === 'mutant' && base.kind !== 'mutant') {
    merged.kind = base.kind
    merged.persona = `${base.persona}+${overlay.persona}`
    merged.title = `${base.title}, ${overlay.title}`
  }
  return merged
}

function withoutUndefined(persona: Persona): Partial<Persona> {
  return Object.fromEntries(Object.entries(persona).filter(([, value]) => value !== undefined))
}
