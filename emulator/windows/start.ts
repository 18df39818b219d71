import { randomUUID } from 'node:crypto'
import type { EmulatedGuest, Virtual } from '../guest.js'
import { changedHardware, liveOf, type Machine, machineAs } from '../hardware/machine.js'
import { loadHostPersona } from '../persona/load.js'
import { makeHostKey, readHostKey } from '../server/host-key.js'
import { reservePort } from '../server/ports.js'
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
  const hostKey =
    spec.hostKey === undefined ? await makeHostKey(persona.ssh.hostKey) : readHostKey(spec.hostKey)
  const port = await reservePort(spec.host, spec.port)
  const uuid = randomUUID()
  const hardware = changedHardware(spec.hardware, persona)
  const macAddress = `52:54:00:${uuid.slice(0, 2)}:${uuid.slice(2, 4)}:${uuid.slice(4, 6)}`
  const plain: Machine = { hardware, live: liveOf(hardware), host, uuid, macAddress }
  const machine = machineAs(plain, virtual.machine)
  const guest = new WindowsGuest(spec, persona, machine, hostKey, port, virtual)
  await guest.prepare()
  guest.bootLater(0)
  return guest
}
