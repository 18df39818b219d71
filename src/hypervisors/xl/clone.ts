import { posix } from 'node:path'
import { uuidOf } from '../shared/names.js'
import { type ConfigValue, type DomainConfig, UnknownConfig } from './config.js'
import { macOfVif, parseDisk, withMac, writeDisk } from './disks.js'

/** A file that an instance needs before it starts. */
export interface CopiedFile {
  readonly from: string
  readonly to: string
}

/** A domain made after another. */
export interface XlClone {
  readonly config: DomainConfig
  /** Known before any of them is made. */
  readonly files: readonly CopiedFile[]
  /** The cards' MAC addresses, in lower case. */
  readonly macs: readonly string[]
}

export interface XlCloneRequest {
  readonly template: DomainConfig
  readonly instance: string
  /** The clean disk, on the host. */
  readonly path: string
  /** Keeps the cards' MAC addresses: a lab that names a fixed address counts on them. */
  readonly keepMacs: boolean
}

/**
 * Makes a domain of a VM's: a name, UUID and disks of its own. `path` takes the place of the disk that it is, else
 * of the first one; every other disk that the guest may write to is copied from its own file. A crashed domain is
 * kept until it is removed, so that a crash can be told from an end; one that has shut down is gone. Throws
 * UnknownConfig.
 */
export function cloneConfig({ template, instance, path, keepMacs }: XlCloneRequest): XlClone {
  const config = new Map<string, ConfigValue>(template)
  config.set('name', instance)
  config.set('uuid', uuidOf(instance))
  config.set('on_crash', 'preserve')
  config.set('on_poweroff', 'destroy')
  const disks = listOf(config, 'disk').map(parseDisk)
  const own = disks.filter(({ writable, cdrom }) => writable && !cdrom)
  const main = own.find(({ target }) => target === path) ?? own[0]
  if (main === undefined) {
    throw new UnknownConfig('the VM has no disk that its guest may write to')
  }
  const files: CopiedFile[] = []
  const written = disks.map(disk => {
    if (!own.includes(disk)) {
      return writeDisk(disk)
    }
    const from = disk === main ? path : disk.target
    if (from === null || from.startsWith('/dev/')) {
      throw new UnknownConfig(`its disk ${disk.vdev} is not a file, so that instances would share it`)
    }
    const to = posix.join(posix.dirname(from), `${instance}.${disk.vdev}.img`)
    files.push({ from, to })
    return writeDisk({ ...disk, target: to })
  })
  config.set('disk', written)
  const cards = listOf(config, 'vif').map((vif, index) =>
    keepMacs ? vif : withMac(vif, macFor(`${instance} ${index}`)),
  )
  if (cards.length > 0) {
    config.set('vif', cards)
  }
  return { config, files, macs: cards.flatMap(vif => macOfVif(vif) ?? []) }
}

/** A MAC address out of Xen's range, the same for the same words. */
export function macFor(words: string): string {
  const hex = uuidOf(`mac ${words}`).replaceAll('-', '')
  // The top bit of the fourth byte is left to what administrators choose by hand.
  const third = (Number.parseInt(hex.slice(0, 2), 16) & 0x7f).toString(16).padStart(2, '0')
  return `00:16:3e:${third}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`
}

function listOf(config: DomainConfig, key: string): readonly string[] {
  const value = config.get(key) ?? []
  if (typeof value === 'string' || typeof value === 'number') {
    throw new UnknownConfig(`"${key}" is not a list`)
  }
  return value
}
