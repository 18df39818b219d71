import { partsOf } from '../base-guest.js'
import type { EmulatedGuest, Virtual } from '../guest.js'
import { changedHardware, newMachine } from '../hardware/machine.js'
import { loadHostPersona } from '../persona/load.js'
import type { ParsedGuestSpec } from '../spec.js'
import { WindowsGuest } from './guest.js'
import { loadWindowsPersona } from './persona/load.js'

/** Starts an emulated Windows guest. Resolves when its address is known; it boots by itself. */
export async function startWindowsGuest(
  spec: ParsedGuestSpec,
  virtual: Virtual = {},
): Promise<EmulatedGuest> {
  const persona = loadWindowsPersona(spec.persona, spec.personaFolders)
  const platform = persona.hardware?.platform ?? spec.platform
  const host = platform === undefined ? undefined : loadHostPersona(platform, spec.personaFolders)
  const machine = newMachine(changedHardware(spec.hardware, persona), host)
  const guest = new WindowsGuest(await partsOf({ spec, persona, machine, virtual }))
  await guest.prepare()
  guest.bootLater(0)
  return guest
}
