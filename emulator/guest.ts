import type { FileTree } from './files/tree.js'
import type { Device, LiveHardware, Machine } from './hardware/machine.js'
import { startLinuxGuest } from './linux-start.js'
import type { GuestPersona } from './persona/schema.js'
import type { Counters, Forward } from './server/ssh-server.js'
import { type EmulatedGuestSpec, emulatedGuestSchema } from './spec.js'
import type { ProgramTable } from './system/programs.js'
import type { System } from './system/system.js'
import { isWindowsPersona } from './windows/persona/load.js'
import type { WindowsPersona } from './windows/persona/schema.js'
import type { HostTexts } from './windows/powershell/host-texts.js'
import { startWindowsGuest } from './windows/start.js'
import { copyOfWindowsDisk } from './windows/system/disk.js'
import type { Disk as WindowsDisk } from './windows/system/system.js'

/** A process of an emulated guest, as its table shows it. */
export interface ListedProcess {
  readonly pid: number
  readonly ppid: number
  readonly pgid: number
  readonly command: string
}

/** An emulated guest that was started. Its port refuses connections until it has booted. */
export interface EmulatedGuest {
  readonly name: string
  readonly host: string
  readonly port: number
  /** `SHA256:…` of the key it is known by. */
  readonly hostKeyFingerprint: string
  /** The key itself, to start it again with the same. */
  readonly hostKey: string
  /** `powershellStarts` is counted of Windows guests alone. */
  readonly counters: Readonly<Counters> & { readonly boots: number; readonly powershellStarts?: number }
  readonly state: 'booting' | 'running' | 'down' | 'off'
  readonly persona: GuestPersona | WindowsPersona
  /** Facts of the persona that were read so far, as `weakestProvenance` takes them. */
  factsUsed(): readonly string[]
  processes(): readonly ListedProcess[]
  /** Presses the power button: a guest that is up shuts down. */
  pressPower?(): void
  /** Stands still: nothing in it goes on, and nothing is answered, until it is resumed. */
  pause?(): void
  resume?(): void
  /** Gives it a device; it finds it at once, or at its next boot. */
  plug(device: Device): void
  /** Asks it to let go of a device; false where nobody is there to do so. */
  unplug(device: Device): boolean
  /** Changes the number of its vCPUs. */
  setVcpus(count: number): void
  /** Has its balloon take memory or give it back, so that it has so much. */
  setMemory(bytes: number): void
  /** Interrupts it so that it cannot look away. */
  nmi(): void
  /** Cuts its connections: it has moved to where they do not lead. */
  cut(): void
  /** A copy of what is on its disk; it stays readable after the end. Absent before the first boot. */
  copyDisk?(): GuestDisk | undefined
  /** What makes it go on where it is now; absent while it is not up. */
  copyMemory?(): GuestMemory | undefined
  /** Ends it: every connection is cut, the port is closed. */
  close(): Promise<void>
}

/** What stands on a guest's disk. */
export type GuestDisk =
  | { readonly family: 'linux'; readonly tree: FileTree }
  | { readonly family: 'windows'; readonly disk: WindowsDisk }

/** The same content once more, on a disk of its own. */
export function copyOfDisk(given: GuestDisk): GuestDisk {
  return given.family === 'linux'
    ? { family: 'linux', tree: given.tree.copy() }
    : { family: 'windows', disk: copyOfWindowsDisk(given.disk) }
}

/** What is kept of a guest's memory: enough to be the same boot again. */
export interface GuestMemory {
  readonly bootId: string
  readonly uptimeNs: bigint
  readonly wallNs: bigint
}

/** What a hypervisor gives to a guest, and hears of it. */
export interface Virtual {
  readonly disk?: GuestDisk
  readonly memory?: GuestMemory
  readonly machine?: Pick<Machine, 'uuid' | 'macAddress'> & Partial<Pick<LiveHardware, 'maxVcpus'>>
  /** Programs of the guest in place of the usual ones. */
  readonly programs?: ProgramTable
  /** Where connections through the guest lead; without it they are refused. */
  readonly forward?: Forward
  /** What carries out the texts of a host, on a Windows with a hypervisor. */
  readonly hostTexts?: HostTexts
  /** Given what it writes to its serial port, from power-on; bytes, as latin1. */
  serial?(text: string): void
  /** Told of each boot, before its port opens. */
  onBoot?(system: System): void
  /** Told when its port has opened. */
  onUp?(): void
  /** Told of each command that a client sends, before it runs. */
  onCommand?(command: string): void
  /** Told when the guest has switched itself off. */
  onOff?(): void
}

/** Starts an emulated guest. Resolves when its address is known; it boots by itself. */
export async function startEmulatedGuest(
  spec: EmulatedGuestSpec,
  virtual: Virtual = {},
): Promise<EmulatedGuest> {
  const parsed = emulatedGuestSchema.parse(spec)
  return isWindowsPersona(parsed.persona, parsed.personaFolders)
    ? startWindowsGuest(parsed, virtual)
    : startLinuxGuest(parsed, virtual)
}
