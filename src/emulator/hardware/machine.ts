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

/** A group of facts that holds only in some configurations. */
interface Conditional {
  readonly disk?: readonly string[] | undefined
  readonly nic?: readonly string[] | undefined
  readonly hypervisor?: readonly string[] | undefined
  readonly mode?: string | undefined
  readonly firmware?: string | undefined
}

/** Whether a group of facts holds on this machine. */
export function applies(group: Conditional, { hardware, host }: Machine): boolean {
  const among = (wanted: readonly string[] | undefined, value: string | undefined): boolean =>
    wanted === undefined || (value !== undefined && wanted.includes(value))
  if (!among(group.hypervisor, host?.hypervisor.id ?? 'none')) return false
  if (!among(group.disk, hardware.disk) || !among(group.nic, hardware.nic)) return false
  if (group.mode !== undefined && group.mode !== (host?.hypervisor.mode ?? 'hvm')) return false
  return group.firmware === undefined || group.firmware === (hardware.firmware ?? 'bios')
}

/** Lays the changes of a mutant over what was given. */
export function changedHardware(hardware: Hardware, persona: GuestPersona): Hardware {
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
