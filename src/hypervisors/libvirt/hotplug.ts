import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { InfraError } from '../../config/errors.js'
import type { AddedDisk } from '../driver.js'
import type { CallOptions } from '../shared/host-commands.js'
import { makeDisk, removeFiles } from '../shared/storage.js'
import { macFor } from './clone.js'
import { allDisks, macOf, nics, writableDisks } from './domain.js'
import { domainXml, type Seat } from './host.js'
import { withXmlFile } from './virsh.js'
import { element, find, writeXml, type XmlElement } from './xml.js'

/** Devices that were added to one running domain. */
export interface Hotplug {
  attachDisk(sizeBytes: number, call: CallOptions): Promise<AddedDisk>
  detachDisk(serial: string, call: CallOptions): Promise<void>
  attachNic(call: CallOptions): Promise<{ mac: string }>
  detachNic(mac: string, call: CallOptions): Promise<void>
  /** Removes the files of all disks that were added; the domain must be off. */
  removeDisks(call: CallOptions): Promise<void>
}

/** Where libvirt keeps disks when nothing else is known. */
const imagesFolder = '/var/lib/libvirt/images'
const letters = 'abcdefghijklmnopqrstuvwxyz'

export function createHotplug(seat: Seat, domain: string, instance: string): Hotplug {
  /** The files of the disks that were added, by serial. */
  const files = new Map<string, string>()
  let made = 0

  const change = async (verb: 'attach' | 'detach', device: XmlElement, call: CallOptions): Promise<void> => {
    const command = withXmlFile(seat.host.virsh, [`${verb}-device`, domain])
    await seat.host.virsh.demand(command, { ...call, stdin: Buffer.from(writeXml(device)) })
  }
  const live = (call: CallOptions): Promise<XmlElement> => domainXml(seat.host, domain, 'live', call)

  /** The host says that a device is gone only when the guest has let go of it. */
  const detach = async (
    which: (xml: XmlElement) => XmlElement | undefined,
    what: string,
    call: CallOptions,
  ): Promise<void> => {
    const device = which(await live(call))
    if (device === undefined) {
      return
    }
    await change('detach', device, call)
    const { id, limits } = seat.host
    const { unplug } = limits
    const startedAt = performance.now()
    for await (const _ of setInterval(limits.lookEvery.ms, null, { signal: call.signal })) {
      if (which(await live(call)) === undefined) {
        return
      }
      if (performance.now() - startedAt > unplug.ms) {
        break
      }
    }
    const message = `${call.where} on ${id}: the guest did not let go of ${what} within ${unplug.name} (${unplug.ms} ms)`
    throw new InfraError(message, { cause: 'guest', where: call.where, code: 'limit', limit: unplug.name })
  }
  const diskOf = (file: string) => (xml: XmlElement) =>
    allDisks(xml).find(disk => disk.file === file)?.element

  return {
    attachDisk: async (sizeBytes, call) => {
      made += 1
      const xml = await live(call)
      const serial = serialOf(instance, made)
      const [first] = writableDisks(xml)
      const folder = first?.file == null ? imagesFolder : posix.dirname(first.file)
      const { xen, limits, virsh } = seat.host
      // Hosts of Xen need not have qemu-img, and their guests see no serial.
      const format = xen ? 'raw' : 'qcow2'
      const file = posix.join(folder, `${instance}.added-${made}.${format}`)
      files.set(serial, file)
      await makeDisk(virsh, { file, format, sizeBytes }, { ...call, limit: limits.storage })
      const target = freeTarget(xml, first?.bus, xen ? 'xen' : 'virtio')
      const driver = xen ? rawDriver(first?.element) : { name: 'qemu', type: format }
      await change('attach', diskXml({ file, driver, target, serial: xen ? null : serial }), call)
      return xen ? { serial, device: target.dev } : { serial }
    },
    detachDisk: async (serial, call) => {
      const file = files.get(serial)
      if (file !== undefined) {
        await detach(diskOf(file), `the disk ${serial}`, call)
        await removeFiles(seat.host.virsh, [file], call)
        files.delete(serial)
      }
    },
    attachNic: async call => {
      made += 1
      const mac = macFor(`${instance} added ${made}`)
      await change('attach', nicXml(await live(call), mac), call)
      return { mac }
    },
    detachNic: async (mac, call) => {
      await detach(xml => nics(xml).find(nic => macOf(nic) === mac.toLowerCase()), `the card ${mac}`, call)
    },
    removeDisks: async call => {
      await removeFiles(seat.host.virsh, [...files.values()], call)
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
