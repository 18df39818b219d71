import { Blocks } from '../hardware/blocks.js'
import type { Device } from '../hardware/machine.js'
import { bootImage, type DomainDisk, diskOf, disksOf, macOf, nicsOf } from './domain.js'
import type { Power } from './power.js'
import { accessTrouble } from './trouble.js'
import type { Running } from './vm.js'
import { at, text, type Xml } from './xml.js'

/** A disk or card of a domain's XML as its guest finds it. Throws Trouble where its file cannot be read. */
export function deviceOf(power: Power, xml: Xml): Device {
  if (xml.name === 'interface') {
    return { kind: 'nic', mac: macOf(xml) ?? '', model: at(xml, 'model')?.attributes.type }
  }
  const { target, bus, file } = diskOf(xml)
  const { bytes, blocks } = contentOf(power, file)
  return { kind: 'disk', target, bus, bytes, serial: text(xml, 'serial'), blocks }
}

function contentOf({ images, tree }: Power, file: string | undefined): { bytes: number; blocks: Blocks } {
  if (file === undefined) return { bytes: 0, blocks: new Blocks() }
  try {
    const { virtualBytes } = images.read(tree, file)
    return { bytes: virtualBytes, blocks: images.find(tree, file).blocks?.copy() ?? new Blocks() }
  } catch (error) {
    throw accessTrouble(file, error)
  }
}

/** What a domain has beside the disk that it boots from and its first card. */
export function addedDevices(power: Power, xml: Xml): Device[] {
  const disks = addedDisks(xml).map(disk => disk.xml)
  return [...disks, ...nicsOf(xml).slice(1)].map(device => deviceOf(power, device))
}

function addedDisks(xml: Xml): DomainDisk[] {
  const boot = bootImage(xml)
  return disksOf(xml).filter(({ kind, file }) => kind === 'disk' && file !== undefined && file !== boot)
}

/** Leaves what a guest wrote to the disks beside its first one on their images. */
export function keepBlocks(power: Power, { xml, devices }: Running): void {
  for (const { target, file } of addedDisks(xml)) {
    const device = devices.find(one => one.kind === 'disk' && one.target === target)
    if (device?.kind === 'disk' && file !== undefined) power.write(file, { blocks: device.blocks.copy() })
  }
}
