import type { DirectoryNode, Node } from '../files/nodes.js'
import { kernelViewer } from '../files/tree.js'
import type { Blocks } from '../hardware/blocks.js'
import { type AddedDisk, diskDevice } from '../hardware/machine.js'
import type { LiveContext } from './context.js'
import { diskHandle } from './devices.js'
import { changingDirectory } from './made-directories.js'

/** A disk as the kernel of this boot knows it. */
export interface KnownDisk {
  readonly name: string
  readonly major: number
  readonly minor: number
  readonly bytes: number
  readonly serial: string | undefined
  readonly bus: string
  /** Partitions, by number. */
  readonly partitions: readonly number[]
  readonly blocks: Blocks | undefined
}

const firstDiskBytes = 8 * 1024 ** 3
const sectorBytes = 512
/** As many minor numbers as a disk has. */
const minors = 16
/** All that a virtio disk can say of its serial number. */
const virtioSerialChars = 20

const majors: Readonly<Record<string, number>> = { vd: 252, sd: 8, hd: 3, xvd: 202 }
const letters = 'abcdefghijklmnopqrstuvwxyz'

/** The disks that the kernel has found, the first one first. */
export function knownDisks(context: LiveContext): KnownDisk[] {
  const { machine, persona, diskNames } = context
  const { name, major } = diskDevice(machine, persona.storage.device)
  const added = machine.live.disks.map(disk => {
    const own = nameOf(context, disk, name)
    diskNames.set(disk, own)
    const [, prefix = '', letter = ''] = /^(\D+)([a-z])$/.exec(own) ?? []
    return {
      name: own,
      major: majors[prefix] ?? 8,
      minor: letters.indexOf(letter) * minors,
      bytes: disk.bytes,
      serial: disk.serial,
      bus: disk.bus,
      partitions: [],
      blocks: disk.blocks,
    }
  })
  const bus = name.startsWith('vd') ? 'virtio' : name.startsWith('xvd') ? 'xen' : 'scsi'
  const first = { name, major, minor: 0, bytes: firstDiskBytes, serial: undefined, bus, partitions: [1] }
  return [{ ...first, blocks: undefined }, ...added]
}

/** A disk keeps its name as long as it is there; a new one gets the first that is free. */
function nameOf({ machine, diskNames }: LiveContext, disk: AddedDisk, first: string): string {
  const known = diskNames.get(disk)
  if (known !== undefined) return known
  if (disk.bus === 'xen') return disk.target
  const prefix = disk.bus === 'virtio' ? 'vd' : disk.bus === 'ide' && first.startsWith('hd') ? 'hd' : 'sd'
  const used = new Set([first, ...machine.live.disks.map(other => diskNames.get(other))])
  const free = [...letters].find(letter => !used.has(`${prefix}${letter}`))
  return `${prefix}${free ?? 'z'}`
}

/** /sys/block. */
export function blockTree(context: LiveContext): DirectoryNode {
  return changingDirectory(context.system.tree, () =>
    Object.fromEntries(
      knownDisks(context).flatMap(({ name, major, minor, bytes, serial, bus }) =>
        Object.entries({
          [`${name}/size`]: `${Math.floor(bytes / sectorBytes)}\n`,
          [`${name}/dev`]: `${major}:${minor}\n`,
          [`${name}/ro`]: '0\n',
          [`${name}/removable`]: '0\n',
          [`${name}/queue/logical_block_size`]: `${sectorBytes}\n`,
          [`${name}/queue/scheduler`]: 'noop [deadline] cfq \n',
          [`${name}/stat`]:
            '     100        0     8000      100       50        0     4000       50        0      100      150\n',
          // No end of line: virtblk_serial_show of drivers/block/virtio_blk.c hands on what the disk says.
          ...(bus === 'virtio' && serial !== undefined
            ? { [`${name}/serial`]: serial.slice(0, virtioSerialChars) }
            : {}),
        }),
      ),
    ),
  )
}

/** /proc/partitions. */
export function partitionsText(context: LiveContext): string {
  const row = (major: number, minor: number, bytes: number, name: string): string =>
    `${String(major).padStart(4)}  ${String(minor).padStart(7)} ${String(Math.floor(bytes / 1024)).padStart(10)} ${name}\n`
  const rows = knownDisks(context).flatMap(({ name, major, minor, bytes, partitions }) => [
    row(major, minor, bytes, name),
    ...partitions.map(number => row(major, minor + number, bytes - 1_048_576, `${name}${number}`)),
  ])
  return `major minor  #blocks  name\n\n${rows.join('')}`
}

const diskName = /^(?:vd|sd|hd|xvd)[a-z]\d*$/

/** Makes the nodes and links under /dev those of the disks that are there: what devtmpfs and udev do. */
export function seatDisks(context: LiveContext): void {
  const { tree } = context.system
  const folder = tree.directory('/dev')
  const disks = knownDisks(context)
  const wanted = new Map<string, Node>()
  for (const { name, major, minor, bytes, blocks, partitions } of disks) {
    for (const number of [0, ...partitions]) {
      const open = () => diskHandle(bytes, blocks)
      const node = tree.makeDevice('block', major, minor + number, 0o660, open)
      wanted.set(number === 0 ? name : `${name}${number}`, node)
    }
  }
  for (const name of folder.entries.names(kernelViewer)) {
    if (diskName.test(name) && !wanted.has(name)) folder.entries.delete?.(name)
  }
  for (const [name, node] of wanted) folder.entries.set?.(name, node)
  const links = disks.flatMap(disk => {
    const id = idOf(disk)
    return id === undefined ? [] : [[id, `../../${disk.name}`] as const]
  })
  folder.entries.delete?.('disk')
  for (const [id, target] of links) tree.installNode(`/dev/disk/by-id/${id}`, tree.makeLink(target))
}

/** As udev's 60-persistent-storage.rules name disks whose serial number they can read. */
function idOf({ bus, serial }: KnownDisk): string | undefined {
  if (serial === undefined) return undefined
  if (bus === 'virtio') return `virtio-${serial.slice(0, virtioSerialChars)}`
  if (bus === 'scsi') return `scsi-0QEMU_QEMU_HARDDISK_${serial}`
  return bus === 'sata' || bus === 'ide' ? `ata-QEMU_HARDDISK_${serial}` : undefined
}
