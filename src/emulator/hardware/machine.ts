import type { Given } from '../persona/conditions.js'
import type { GuestPersona, HostPersona } from '../persona/schema.js'

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

/** The virtual machine as its guest finds it. */
export interface Machine {
  readonly hardware: Hardware
  readonly host: HostPersona | undefined
  readonly uuid: string
  readonly macAddress: string
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
