import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Sent, VmCommands } from '../managed-vm/backend.js'
import { showing } from '../managed-vm/backend.js'
import type { Observation } from '../managed-vm/observation.js'
import type { CallOptions } from '../shared/host-commands.js'
import { makeDisk, removeFiles } from '../shared/storage.js'
import { macFor } from './clone.js'
import { allDisks, macOf, nics, writableDisks } from './domain.js'
import { callOf, type DomainPlace } from './domain-vm.js'
import { domainXml } from './host.js'
import { withXmlFile } from './virsh.js'
import { element, find, writeXml, type XmlElement } from './xml.js'

/** Devices that are added to one running domain, and taken away. */
export type Hotplug = Required<Pick<VmCommands, 'attachDisk' | 'detachDisk' | 'attachNic' | 'detachNic'>> & {
  /** Removes the files of all disks that were added; the domain must be off, or without them. */
  removeDisks(call: CallOptions): Promise<void>
}

/** Where libvirt keeps disks when nothing else is known. */
const imagesFolder = '/var/lib/libvirt/images'
const letters = 'abcdefghijklmnopqrstuvwxyz'

export function createHotplug(place: DomainPlace): Hotplug {
  const { location, domain, instance } = place
  /** The files of the disks that were added, by serial. */
  const files = new Map<string, string>()
  let made = 0
  const quick = (signal: AbortSignal): CallOptions => callOf(place, location.host.limits.command, signal)
  const live = (signal: AbortSignal): Promise<XmlElement> =>
    domainXml(location.host, domain, 'live', quick(signal))
  const change = async (
    verb: 'attach' | 'detach',
    device: XmlElement,
    signal: AbortSignal,
  ): Promise<void> => {
    const command = withXmlFile(location.host.virsh, [`${verb}-device`, domain])
    await location.host.virsh.demand(command, { ...quick(signal), stdin: Buffer.from(writeXml(device)) })
  }
  /** The host says that a device is gone only when the guest has let go of it. */
  const letGo = (what: string, isGone: (seen: Observation) => boolean): Sent<void> =>
    showing({
      what: `let go of ${what}`,
      cause: 'guest',
      limit: location.host.limits.unplug,
      devices: true,
      holds: isGone,
    })
  const has = (kind: 'disks' | 'nics', name: string) => (seen: Observation) =>
    seen.devices?.[kind].includes(name) === true
  const added = <T>(value: T, what: string, holds: (seen: Observation) => boolean): Sent<T> => {
    const { command } = location.host.limits
    return { value, shows: { what, cause: 'host', limit: command, devices: true, holds } }
  }

  return {
    attachDisk: async (sizeBytes, signal) => {
      made += 1
      const xml = await live(signal)
      const serial = serialOf(instance, made)
      const [first] = writableDisks(xml)
      const folder = first?.file == null ? imagesFolder : posix.dirname(first.file)
      const { xen, limits, virsh } = location.host
      // Hosts of Xen need not have qemu-img, and their guests see no serial.
      const format = xen ? 'raw' : 'qcow2'
      const file = posix.join(folder, `${instance}.added-${made}.${format}`)
      files.set(serial, file)
      await makeDisk(virsh, { file, format, sizeBytes }, callOf(place, limits.storage, signal))
      const target = freeTarget(xml, first?.bus, xen ? 'xen' : 'virtio')
      const driver = xen ? rawDriver(first?.element) : { name: 'qemu', type: format }
      await change('attach', diskXml({ file, driver, target, serial: xen ? null : serial }), signal)
      const disk = xen ? { serial, device: target.dev } : { serial }
      return added(disk, `attach the disk ${serial}`, has('disks', file))
    },
    // By its serial, or, after the death of whoever added it, by its file.
    detachDisk: async (name, signal) => {
      const file = files.get(name) ?? name
      const isGone = (seen: Observation): boolean => !has('disks', file)(seen)
      const isOurs = posix.basename(file).startsWith(`${instance}.added-`)
      const device = isOurs
        ? allDisks(await live(signal)).find(disk => disk.file === file)?.element
        : undefined
      if (device !== undefined) {
        await change('detach', device, signal)
      }
      const finish = async (until: AbortSignal): Promise<void> => {
        if (isOurs) {
          await removeFiles(location.host.virsh, [file], quick(until))
          files.delete(name)
        }
      }
      return { ...letGo(`the disk ${name}`, isGone), finish }
    },
    attachNic: async signal => {
      made += 1
      const mac = macFor(`${instance} added ${made}`)
      await change('attach', nicXml(await live(signal), mac), signal)
      return added({ mac }, `attach the card ${mac}`, has('nics', mac))
    },
    detachNic: async (name, signal) => {
      const mac = name.toLowerCase()
      const device = nics(await live(signal)).find(nic => macOf(nic) === mac)
      if (device !== undefined) {
        await change('detach', device, signal)
      }
      return letGo(`the card ${mac}`, seen => !has('nics', mac)(seen))
    },
    removeDisks: async call => {
      await removeFiles(location.host.virsh, [...files.values()], call)
      files.clear()
    },
  }
}
/** Twenty characters at most: that is all that a virtio disk shows of it. */
function serialOf(instance: string, number: number): string {
  const hash = createHash('sha256').update(`${instance} ${number}`).digest('hex')
  return `gc${hash.slice(0, 14)}`
}

interface AddedXml {
  readonly file: string
  readonly driver: Readonly<Record<string, string>>
  readonly target: { readonly dev: string; readonly bus: string }
  readonly serial: string | null
}

function diskXml({ file, driver, target, serial }: AddedXml): XmlElement {
  return element('disk', { type: 'file', device: 'disk' }, [
    element('driver', driver),
    element('source', { file }),
    element('target', target),
    ...(serial === null ? [] : [element('serial', {}, [serial])]),
  ])
}

/** What serves raw files on a host of Xen differs by its age: whatever serves the domain's own disk. */
function rawDriver(disk: XmlElement | undefined): Readonly<Record<string, string>> {
  const { name = 'file', type } = (disk && find(disk, 'driver')?.attributes) ?? {}
  return type === undefined ? { name } : type === 'aio' ? { name, type } : { name, type: 'raw' }
}

const prefixes: Readonly<Record<string, string>> = { virtio: 'vd', scsi: 'sd', usb: 'sd', xen: 'xvd' }

/** The next free name on the bus of the domain's own disk; IDE disks cannot be added to a running guest. */
function freeTarget(
  xml: XmlElement,
  own: string | undefined,
  usual: 'virtio' | 'xen',
): { dev: string; bus: string } {
  const chosen = own !== undefined && prefixes[own] !== undefined ? own : usual
  const prefix = prefixes[chosen]
  const used = new Set(allDisks(xml).map(({ target }) => target))
  const dev = [...letters].map(letter => `${prefix}${letter}`).find(name => !used.has(name))
  return { dev: dev ?? `${prefix}aa`, bus: chosen }
}

/**
 * QEMU's user-mode network for a guest whose own card libvirt does not know. Not QEMU's usual range: two
 * cards of a guest with the same address would cut it off.
 */
const userNetwork = { family: 'ipv4', address: '10.0.3.0', prefix: '24' }

/** A card like the first one. */
function nicXml(xml: XmlElement, mac: string): XmlElement {
  const [first] = nics(xml)
  const address = element('mac', { address: mac })
  if (first === undefined) {
    const model = element('model', { type: 'virtio' })
    return element('interface', { type: 'user' }, [address, model, element('ip', userNetwork)])
  }
  const kept = ['source', 'model', 'virtualport', 'script'].flatMap(name => find(first, name) ?? [])
  return element('interface', { type: first.attributes.type ?? 'network' }, [
    address,
    ...kept.map(withoutLive),
  ])
}

/** What libvirt added when it started the first card belongs to that one alone. */
function withoutLive({ name, attributes, children }: XmlElement): XmlElement {
  const { portid: _, ...rest } = attributes
  const isNetwork = rest.network !== undefined
  return { name, attributes: isNetwork ? { network: rest.network ?? '' } : rest, children }
}
