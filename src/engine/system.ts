import type { BootIdentity } from '../guests/boot-identity.js'
import { readBootIdentity } from '../guests/boot-identity.js'
import { type ClockReading, readClock } from '../guests/clock.js'
import { type Rebooted, type RebootRequest, reboot } from '../guests/reboot.js'
import { type Machine, quote } from '../remote/index.js'

/** What is done in different ways on different families of guests. */
export interface GuestSystem {
  /** Reads the boot identity. Throws InfraError. */
  identify(
    machine: Machine,
    options: { readonly limitMs?: number; readonly signal?: AbortSignal },
  ): Promise<BootIdentity>
  /** Reboots, and returns when that is proven. Throws InfraError. */
  reboot(request: Omit<RebootRequest, 'command' | 'identify'>): Promise<Rebooted>
  clock(machine: Machine, signal: AbortSignal): Promise<ClockReading>
  /** The command that removes a folder of ours. */
  removeCommand(folder: string): string
  /** Whether scripts of suites run on it, beside modules. */
  readonly runsScripts: boolean
}

/** Guests with a POSIX shell. */
export const posixSystem: GuestSystem = {
  identify: readBootIdentity,
  reboot,
  clock: readClock,
  removeCommand: folder => `cd / && rm -rf ${quote(folder)}`,
  runsScripts: true,
}
