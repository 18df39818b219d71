import { assemble } from './assemble.js'
import { partsOf } from './base-guest.js'
import type { EmulatedGuest, Virtual } from './guest.js'
import { LinuxGuest } from './linux-guest.js'
import { loadJustBash } from './shell/ast.js'
import type { ParsedGuestSpec } from './spec.js'

/** Starts an emulated Linux guest. Resolves when its address is known; it boots by itself. */
export async function startLinuxGuest(spec: ParsedGuestSpec, virtual: Virtual = {}): Promise<EmulatedGuest> {
  const guest = new LinuxGuest(await partsOf({ spec, virtual, ...assemble(spec) }))
  await guest.prepare()
  // Heavy, and wanted by the first script: read while the guest boots.
  void loadJustBash()
  guest.bootLater(0)
  return guest
}
