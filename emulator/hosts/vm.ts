import type { EmulatedGuest, GuestDisk, GuestMemory } from '../guest.js'
import type { Device } from '../hardware/machine.js'
import type { Installed } from './images.js'
import { text, type Xml } from './xml.js'

export type VmState = 'running' | 'paused' | 'in shutdown' | 'shut off' | 'crashed'

/** What is kept of a virtual machine at one moment. */
export interface Snapshot {
  readonly name: string
  readonly description: string | undefined
  readonly parent: string | undefined
  readonly state: VmState
  readonly madeSec: number
  readonly xml: Xml
  readonly disk: GuestDisk | undefined
  readonly installed: Installed | undefined
  readonly memory: GuestMemory | undefined
}

/** What a machine takes of its host. */
export interface Share {
  readonly vcpus: number
  readonly memoryBytes: number
}

/** What runs of a virtual machine. */
export interface Running {
  readonly id: number
  /** The XML that it was started from, with what was added since. */
  readonly xml: Xml
  share: Share
  /** The vCPUs that it was started with. */
  startVcpus: number
  /** Disks and cards beside the first ones, as its guest knows them. */
  devices: readonly Device[]
  /** Who is told that the guest has switched itself off, and what it writes to its serial port: of the host it is on. */
  readonly heard: { off(): void; serial(text: string): void }
  guest: EmulatedGuest | undefined
  /** The image that it writes to. */
  readonly image: string | undefined
  readonly installed: Installed | undefined
  readonly startedMs: number
}

/** One virtual machine of a host. */
export interface Vm {
  /** What would be started next; undefined for one that was never defined, or no more. */
  persistent: Xml | undefined
  state: VmState
  reason: string
  running: Running | undefined
  readonly snapshots: Map<string, Snapshot>
  current: string | undefined
}

export function makeVm(persistent: Xml | undefined): Vm {
  return {
    persistent,
    state: 'shut off',
    reason: 'unknown',
    running: undefined,
    snapshots: new Map(),
    current: undefined,
  }
}

/** The XML of what runs, else of what would start. */
export function xmlOf(vm: Vm): Xml {
  const xml = vm.running?.xml ?? vm.persistent
  if (!xml) throw new Error('a machine that neither runs nor is defined is none')
  return xml
}

export function nameOf(vm: Vm): string {
  return text(xmlOf(vm), 'name') ?? ''
}

export function uuidOf(vm: Vm): string {
  return text(xmlOf(vm), 'uuid') ?? ''
}

export function setState(vm: Vm, state: VmState, reason: string): void {
  vm.state = state
  vm.reason = reason
}
