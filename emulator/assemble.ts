import { changedHardware, givenBy, type Hardware, type Machine, newMachine } from './hardware/machine.js'
import { loadGuestPersona, loadHostPersona, loadPersona } from './persona/load.js'
import type { GuestPersona } from './persona/schema.js'

/** What a guest is put together from. */
export interface Assembly {
  /** A persona's name with mutants after a `+`, or a path. */
  readonly persona: string
  readonly personaFolders: readonly string[]
  /** The host's persona. */
  readonly platform?: string | undefined
  readonly hardware: Hardware
}

/** Finds the personas of a guest and its host, and the machine that they make. Throws ConfigError or UsageError. */
export function assemble({ persona: names, personaFolders, platform, hardware }: Assembly): {
  readonly persona: GuestPersona
  readonly machine: Machine
} {
  // A mutant may stand on another platform than it was given.
  const hostName = loadPersona(names, personaFolders).hardware?.platform ?? platform
  const host = hostName === undefined ? undefined : loadHostPersona(hostName, personaFolders)
  const persona = loadGuestPersona(names, personaFolders, givenBy(hardware, host))
  return { persona, machine: newMachine(changedHardware(hardware, persona), host) }
}
