import { randomUUID } from 'node:crypto'
import { changedHardware, givenBy, type Hardware, liveOf, type Machine } from './hardware/machine.js'
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
  const uuid = randomUUID()
  const [low = '00', middle = '00', high = '00'] = uuid.match(/[0-9a-f]{2}/g) ?? []
  const found = changedHardware(hardware, persona)
  return {
    persona,
    machine: {
      hardware: found,
      live: liveOf(found),
      host,
      uuid,
      macAddress: `52:54:00:${low}:${middle}:${high}`,
    },
  }
}
