import { createHash } from 'node:crypto'
import type { Hardware } from '../hardware/machine.js'
import { at, elements, make, text, type Xml } from './xml.js'

/** What a domain's XML says of the machine that is to be started (https://libvirt.org/formatdomain.html). */
export function hardwareOf(xml: Xml): Hardware {
  const type = at(xml, 'os', 'type')
  const isPv = text(xml, 'os', 'type') === 'linux' || text(xml, 'os', 'type') === 'xen'
  const disk = disksOf(xml)[0]?.bus
  const card = at(xml, 'devices', 'interface')
  const nic = at(card, 'model')?.attributes.type ?? (isPv && card ? 'xen-vif' : undefined)
  const isUefi =
    at(xml, 'os')?.attributes.firmware === 'efi' || at(xml, 'os', 'loader')?.attributes.type === 'pflash'
  return {
    vcpus: vcpusOf(xml).now,
    memoryBytes: memoryKiB(xml) * 1024,
    mode: isPv ? 'pv' : 'hvm',
    ...(isPv ? {} : { firmware: isUefi ? ('uefi' as const) : ('bios' as const) }),
    ...(text(xml, 'generation') === undefined
      ? {}
      : { generation: text(xml, 'generation') === '2' ? (2 as const) : (1 as const) }),
    ...(type?.attributes.machine === undefined ? {} : { machine: type.attributes.machine }),
    ...(disk === undefined ? {} : { disk: guestNames[disk] ?? disk }),
    ...(nic === undefined ? {} : { nic: guestNames[`nic ${nic}`] ?? nic }),
  }
}

/** As guests' personas call what libvirt calls otherwise. */
const guestNames: Readonly<Record<string, string>> = {
  virtio: 'virtio-blk',
  xen: 'xen-blk',
  'nic virtio': 'virtio-net',
}

const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  KB: 1000,
  k: 1024,
  KiB: 1024,
  MB: 1e6,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  GB: 1e9,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
}

/** How many vCPUs a domain has, and how many it may have. */
export function vcpusOf(xml: Xml): { readonly now: number; readonly most: number } {
  const most = Number(text(xml, 'vcpu') ?? 1)
  return { now: Number(at(xml, 'vcpu')?.attributes.current ?? most), most }
}

/** All the memory that a domain may have. */
export function memoryKiB(xml: Xml): number {
  return kibOf(xml, 'memory') ?? 0
}

/** The memory that a domain has at the moment. */
export function currentKiB(xml: Xml): number {
  return kibOf(xml, 'currentMemory') ?? memoryKiB(xml)
}

function kibOf(xml: Xml, name: 'memory' | 'currentMemory'): number | undefined {
  const unit = at(xml, name)?.attributes.unit ?? 'KiB'
  const amount = text(xml, name)
  return amount === undefined ? undefined : Math.round((Number(amount) * (unitBytes[unit] ?? 1024)) / 1024)
}

/** Bytes of a unit as libvirt names it; undefined where it has no such. */
export function bytesOfUnit(unit: string): number | undefined {
  return unitBytes[unit]
}

/** A disk of a domain. */
export interface DomainDisk {
  readonly xml: Xml
  readonly kind: string
  readonly target: string
  readonly bus: string
  readonly file: string | undefined
  readonly format: string
}

export function disksOf(xml: Xml): DomainDisk[] {
  return elements(at(xml, 'devices'), 'disk').map(diskOf)
}

/** What an XML of a disk says. */
export function diskOf(disk: Xml): DomainDisk {
  const target = at(disk, 'target')?.attributes
  const name = target?.dev ?? ''
  return {
    xml: disk,
    kind: disk.attributes.device ?? 'disk',
    target: name,
    bus: target?.bus ?? buses[name.replace(/[a-z]$/, '')] ?? 'ide',
    file: at(disk, 'source')?.attributes.file,
    format: at(disk, 'driver')?.attributes.type ?? 'raw',
  }
}

/** The bus of a disk whose XML names none. */
const buses: Readonly<Record<string, string>> = { xvd: 'xen', vd: 'virtio', sd: 'scsi', fd: 'fdc' }

/** The image of the first disk: what the machine boots from. */
export function bootImage(xml: Xml): string | undefined {
  return disksOf(xml).find(({ kind, file }) => kind === 'disk' && file !== undefined)?.file
}

export function nicsOf(xml: Xml): Xml[] {
  return elements(at(xml, 'devices'), 'interface')
}

export function macOf(nic: Xml | undefined): string | undefined {
  return at(nic, 'mac')?.attributes.address?.toLowerCase()
}

/** A number made of words: the same words, the same number. */
export function digest(words: string): string {
  return createHash('sha256').update(words).digest('hex')
}

/** A UUID in the form of version 4, the same for the same words. */
export function uuidFrom(words: string): string {
  const hex = digest(words)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** What libvirt adds to a domain that is defined: names that were left out. `prefix` is the vendor's of MACs. */
export function completed(xml: Xml, prefix: string): Xml {
  const name = text(xml, 'name') ?? ''
  if (text(xml, 'uuid') === undefined) xml.children.splice(1, 0, make('uuid', {}, uuidFrom(`uuid ${name}`)))
  if (text(xml, 'currentMemory') === undefined) {
    const memory = at(xml, 'memory')
    if (memory) {
      const place = xml.children.indexOf(memory) + 1
      xml.children.splice(place, 0, make('currentMemory', { ...memory.attributes }, text(memory) ?? '0'))
      const value = xml.children[place]
      if (typeof value === 'object') value.children = [...memory.children]
    }
  }
  for (const [index, nic] of nicsOf(xml).entries()) completedNic(nic, prefix, `${name} ${index}`)
  return xml
}

/** Gives a card an address, the same for the same words, if it has none. */
export function completedNic(nic: Xml, prefix: string, words: string): Xml {
  if (macOf(nic) !== undefined) return nic
  const hex = digest(`mac ${words}`)
  const address = `${prefix}:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`
  nic.children.unshift(make('mac', { address }))
  return nic
}
