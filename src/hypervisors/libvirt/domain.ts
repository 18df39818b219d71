/** What a domain's XML says (https://libvirt.org/formatdomain.html). */
import { childrenOf, find, textAt, type XmlElement } from './xml.js'

/** A hard disk of a domain that its guest may write to. */
export interface Disk {
  readonly element: XmlElement
  /** `vda`, `hda`, … */
  readonly target: string
  readonly bus: string
  /** The file that holds it; `null` for a block device, a network disk or a volume. */
  readonly file: string | null
}

/** The hard disks that a guest may write to and that no other guest shares. */
export function writableDisks(domain: XmlElement): Disk[] {
  return allDisks(domain).filter(({ element }) => {
    const kind = element.attributes.device ?? 'disk'
    return (
      kind === 'disk' && find(element, 'readonly') === undefined && find(element, 'shareable') === undefined
    )
  })
}

/** Every disk, CD-ROMs and floppies too. */
export function allDisks(domain: XmlElement): Disk[] {
  return childrenOf(find(domain, 'devices'), 'disk').map(element => {
    const target = find(element, 'target')?.attributes
    return {
      element,
      target: target?.dev ?? '',
      bus: target?.bus ?? busOf(target?.dev ?? ''),
      file: element.attributes.type === 'file' ? (find(element, 'source')?.attributes.file ?? null) : null,
    }
  })
}

/** The network cards that libvirt knows of. */
export function nics(domain: XmlElement): XmlElement[] {
  return childrenOf(find(domain, 'devices'), 'interface')
}

/** The MAC addresses of a domain's cards, in lower case. */
export function macs(domain: XmlElement): string[] {
  return nics(domain).flatMap(nic => {
    const mac = find(nic, 'mac')?.attributes.address
    return mac === undefined ? [] : [mac.toLowerCase()]
  })
}

/** A card's MAC address, in lower case. */
export function macOf(nic: XmlElement): string | null {
  return find(nic, 'mac')?.attributes.address?.toLowerCase() ?? null
}

/** The file on the host that a serial console is written to; `null` when there is none. */
export function consoleFile(domain: XmlElement): string | null {
  const devices = find(domain, 'devices')
  for (const port of [...childrenOf(devices, 'serial'), ...childrenOf(devices, 'console')]) {
    const log = find(port, 'log')?.attributes.file
    const own = port.attributes.type === 'file' ? find(port, 'source')?.attributes.path : undefined
    const file = log ?? own
    if (file !== undefined) {
      return file
    }
  }
  return null
}

/** True when a start of the domain leaves what is in that file. */
export function appendsConsole(domain: XmlElement): boolean {
  const ports = childrenOf(find(domain, 'devices'), 'serial')
  return ports.some(port => find(port, 'log')?.attributes.append === 'on')
}

/** False for a domain that was made without a balloon, whose memory cannot be taken back while it runs. */
function hasBalloon(domain: XmlElement): boolean {
  // On Xen the balloon is the guest's own driver, and no device.
  return find(domain, 'devices', 'memballoon')?.attributes.model !== 'none'
}

/** The vCPUs that a domain has now. */
export function currentVcpus(domain: XmlElement): number | null {
  const count = Number(find(domain, 'vcpu')?.attributes.current ?? textAt(domain, 'vcpu') ?? Number.NaN)
  return Number.isInteger(count) ? count : null
}

/**
 * Whether the number of a domain's vCPUs can be changed while it runs, as far as its definition says. In software
 * emulation it cannot: QEMU 7.2 never tells that an unplugged vCPU is gone (seen on Debian 12: DEVICE_DELETED comes
 * for its APIC alone), libvirt goes on counting it, and the next move of the guest crashes QEMU.
 */
export function canSetVcpus(domain: XmlElement, xen: boolean): boolean {
  return xen || (domain.attributes.type !== 'qemu' && hasSpareVcpus(domain))
}

/** Whether a domain's memory can be changed while it runs. */
export function canSetMemory(domain: XmlElement, xen: boolean): boolean {
  return xen || hasBalloon(domain)
}

/** True when a vCPU can be taken away while the domain runs, as far as its definition says. */
function hasSpareVcpus(domain: XmlElement): boolean {
  const vcpus = childrenOf(find(domain, 'vcpus'), 'vcpu')
  return vcpus.some(({ attributes }) => attributes.hotpluggable === 'yes')
}

/** Every file that a domain's machine is made of, as far as libvirt knows them. */
export function machineFiles(domain: XmlElement): string[] {
  const os = find(domain, 'os')
  const named = ['loader', 'nvram', 'kernel', 'initrd'].flatMap(name => textAt(os, name) || [])
  return [...named, ...allDisks(domain).flatMap(({ file }) => file ?? [])]
}

/** True when a guest can tell the host that it panicked: then a crash may be the guest's own. */
export function tellsPanics(domain: XmlElement): boolean {
  return find(domain, 'devices', 'panic') !== undefined
}

/** What a domain is made of, for facts. */
export function domainFacts(domain: XmlElement): Record<string, string> {
  const type = find(domain, 'os', 'type')
  const [disk] = writableDisks(domain)
  const [nic] = nics(domain)
  const cpu = find(domain, 'cpu')
  const facts: Record<string, string | undefined> = {
    accelerator: domain.attributes.type === 'qemu' ? 'tcg' : domain.attributes.type,
    machine: type?.attributes.machine,
    'vm uuid': textAt(domain, 'uuid'),
    'vm vcpus': textAt(domain, 'vcpu'),
    'vm memory': formatKib(memoryKib(domain)),
    'vm cpu': textAt(cpu, 'model') ?? cpu?.attributes.mode,
    firmware: firmwareOf(domain),
    disk: disk?.bus,
    nic: find(nic, 'model')?.attributes.type,
    emulator: textAt(domain, 'devices', 'emulator'),
  }
  return Object.fromEntries(
    Object.entries(facts).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
  )
}

/** The memory that a domain starts with, in KiB; `null` when its unit is not known. */
export function memoryKib(domain: XmlElement): number | null {
  const memory = find(domain, 'memory')
  const amount = Number(textAt(domain, 'memory') ?? Number.NaN)
  const bytes = unitBytes[memory?.attributes.unit ?? 'KiB']
  return bytes === undefined || !Number.isFinite(amount) ? null : (amount * bytes) / 1024
}

/** The firmware; Xen's paravirtual guests have none. */
export function firmwareOf(domain: XmlElement): 'bios' | 'uefi' | undefined {
  const os = find(domain, 'os')
  if (textAt(os, 'type') !== 'hvm') {
    return undefined
  }
  const loader = find(os, 'loader')
  const isUefi = os?.attributes.firmware === 'efi' || loader?.attributes.type === 'pflash'
  return isUefi ? 'uefi' : 'bios'
}

const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  KB: 1000,
  k: 1024,
  KiB: 1024,
  MB: 1_000_000,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  GB: 1_000_000_000,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
}

function formatKib(kib: number | null): string | undefined {
  return kib === null ? undefined : `${kib} KiB`
}

/** Before 0.9 a disk's bus stood in its target's name alone. */
function busOf(target: string): string {
  const buses: Readonly<Record<string, string>> = {
    vd: 'virtio',
    sd: 'scsi',
    hd: 'ide',
    xvd: 'xen',
    fd: 'fdc',
  }
  return buses[target.replace(/[a-z]$/, '')] ?? 'unknown'
}
