import { randomUUID } from 'node:crypto'
import type { Given } from '../persona/conditions.js'
import type { GuestPersona, HostPersona } from '../persona/schema.js'
import type { Blocks } from './blocks.js'

/** What the instance was given. Sizes in bytes. */
export interface Hardware {
  readonly vcpus: number
  readonly memoryBytes: number
  readonly firmware?: 'bios' | 'uefi' | undefined
  readonly generation?: 1 | 2 | undefined
  readonly machine?: string | undefined
  readonly disk?: string | undefined
  readonly nic?: string | undefined
  readonly mode?: 'pv' | 'hvm' | 'pvh' | undefined
}

/** A disk beside the first one. */
export interface AddedDisk {
  readonly kind: 'disk'
  /** As the hypervisor calls it, e.g. `vdb`. Guests of Xen call it so, too; all others name disks as they find them. */
  readonly target: string
  /** As libvirt calls it: `virtio`, `scsi`, `sata`, `ide`, `usb` or `xen`. */
  readonly bus: string
  readonly bytes: number
  readonly serial: string | undefined
  /** What is on it. */
  readonly blocks: Blocks
}

/** A network card beside the first one. */
export interface AddedNic {
  readonly kind: 'nic'
  readonly mac: string
  /** As libvirt calls it, e.g. `virtio`. */
  readonly model: string | undefined
}

/** What can be plugged into a machine that runs. */
export type Device = AddedDisk | AddedNic

/** What a hypervisor may change of a machine while it runs. */
export interface LiveHardware {
  vcpus: number
  /** How many vCPUs it can be given at most. */
  maxVcpus: number
  /** What it has of its memory at the moment: its balloon holds the rest. */
  memoryBytes: number
  disks: readonly AddedDisk[]
  nics: readonly AddedNic[]
}

/** The virtual machine as its guest finds it. */
export interface Machine {
  /** What it was started with. */
  readonly hardware: Hardware
  readonly live: LiveHardware
  readonly host: HostPersona | undefined
  readonly uuid: string
  readonly macAddress: string
}

/** A machine that has all that it was given, and nothing more. */
export function liveOf({ vcpus, memoryBytes }: Hardware): LiveHardware {
  return { vcpus, maxVcpus: vcpus, memoryBytes, disks: [], nics: [] }
}

/** A new machine with an identity of its own. */
export function newMachine(hardware: Hardware, host: HostPersona | undefined): Machine {
  const uuid = randomUUID()
  const [low, middle, high] = [uuid.slice(0, 2), uuid.slice(2, 4), uuid.slice(4, 6)]
  return { hardware, live: liveOf(hardware), host, uuid, macAddress: `52:54:00:${low}:${middle}:${high}` }
}

/** Takes a device out of what a machine has; undefined where it has no such. */
export function takeOut({ live }: Machine, wanted: Device): Device | undefined {
  if (wanted.kind === 'disk') {
    const disk = live.disks.find(({ target }) => target === wanted.target)
    live.disks = live.disks.filter(other => other !== disk)
    return disk
  }
  const nic = live.nics.find(({ mac }) => mac === wanted.mac)
  live.nics = live.nics.filter(other => other !== nic)
  return nic
}

/** Puts a device into a machine. */
export function putIn({ live }: Machine, device: Device): void {
  if (device.kind === 'disk') live.disks = [...live.disks, device]
  else live.nics = [...live.nics, device]
}

/** What the conditions of facts are held against. */
export function givenBy(hardware: Hardware, host: HostPersona | undefined): Given {
  return {
    disk: hardware.disk,
    nic: hardware.nic,
    hypervisor: host?.hypervisor.id ?? 'none',
    mode: host?.hypervisor.mode ?? 'hvm',
    firmware: hardware.firmware ?? (hardware.generation === 2 ? 'uefi' : 'bios'),
  }
}

/** A machine with what its hypervisor says of it. */
export function machineAs(
  machine: Machine,
  given: (Pick<Machine, 'uuid' | 'macAddress'> & Partial<Pick<LiveHardware, 'maxVcpus'>>) | undefined,
): Machine {
  if (!given) return machine
  const { uuid, macAddress, maxVcpus = machine.live.maxVcpus } = given
  return { ...machine, uuid, macAddress, live: { ...machine.live, maxVcpus } }
}

/** Lays the changes of a mutant over what was given. */
export function changedHardware(hardware: Hardware, persona: Pick<GuestPersona, 'hardware'>): Hardware {
  const change = persona.hardware
  if (!change) return hardware
  return {
    ...hardware,
    vcpus: Math.max(1, hardware.vcpus - (change.fewerVcpus ?? 0)),
    memoryBytes: Math.round(hardware.memoryBytes * (change.memoryFactor ?? 1)),
  }
}

/** The first disk's device: its name under /dev and its numbers. */
export function diskDevice(
  { hardware, host }: Machine,
  fallback: string,
): { readonly name: string; readonly major: number } {
  if (host?.hypervisor.mode === 'pv') return { name: 'xvda', major: 202 }
  if (hardware.disk?.startsWith('virtio-blk') || hardware.disk === 'virtio')
    return { name: 'vda', major: 252 }
  if (hardware.disk === undefined)
    return { name: fallback, major: fallback === 'vda' ? 252 : fallback.startsWith('hd') ? 3 : 8 }
  if (hardware.disk === 'ide' && fallback.startsWith('hd')) return { name: 'hda', major: 3 }
  return { name: 'sda', major: 8 }
}
