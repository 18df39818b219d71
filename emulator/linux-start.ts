import { makeAccounts } from './accounts.js'
import { assemble } from './assemble.js'
import { Mischief } from './faults/mischief.js'
import type { EmulatedGuest, Virtual } from './guest.js'
import { machineAs } from './hardware/machine.js'
import { LinuxGuest } from './linux-guest.js'
import { makeHostKey, readHostKey } from './server/host-key.js'
import { reservePort } from './server/ports.js'
import { loadJustBash } from './shell/ast.js'
import type { ParsedGuestSpec } from './spec.js'

/** Starts an emulated Linux guest. Resolves when its address is known; it boots by itself. */
export async function startLinuxGuest(spec: ParsedGuestSpec, virtual: Virtual = {}): Promise<EmulatedGuest> {
  const assembled = assemble(spec)
  const { persona } = assembled
  const machine = machineAs(assembled.machine, virtual.machine)
  const hostKey =
    spec.hostKey === undefined ? await makeHostKey(persona.ssh.hostKey) : readHostKey(spec.hostKey)
  const port = await reservePort(spec.host, spec.port)
  const faults = { ...persona.faults?.list, ...spec.faults }
  const accounts = makeAccounts(spec.users, persona)
  const guest = new LinuxGuest(spec, persona, machine, new Mischief(faults), accounts, hostKey, port, virtual)
  await guest.prepare()
  // Heavy, and wanted by the first script: read while the guest boots.
  void loadJustBash()
  guest.bootLater(0)
  return guest
}
