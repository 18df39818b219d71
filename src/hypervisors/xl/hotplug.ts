import { posix } from 'node:path'
import { quote } from '../../remote/index.js'
import type { AddedDisk } from '../driver.js'
import { type CallOptions, read, refused } from '../shared/host-commands.js'
import { makeDisk, removeFiles } from '../shared/storage.js'
import { macFor } from './clone.js'
import type { DomainConfig } from './config.js'
import { macOfVif, parseDisk, vdevNumber, vdevs, writeDisk } from './disks.js'
import { guestIsLate, until, type XlHost, xl } from './host.js'
import { parseBlockList, parseNetworkList } from './output.js'

const sectorBytes = 512

/** Disks and cards that are added to one instance while it runs. */
export interface Hotplug {
  /** The files of the disks that were added, by the guest's name for them. */
  readonly added: ReadonlyMap<string, string>
  attachDisk(sizeBytes: number, call: CallOptions): Promise<AddedDisk>
  detachDisk(vdev: string, call: CallOptions): Promise<void>
  attachNic(call: CallOptions): Promise<{ readonly mac: string }>
  detachNic(mac: string, call: CallOptions): Promise<void>
  /** The domain is now another one, that has these disks besides its own; the files of others are removed. */
  becomes(added: ReadonlyMap<string, string>, call: CallOptions): Promise<void>
}

export interface HotplugRequest {
  readonly host: XlHost
  readonly domain: string
  readonly config: DomainConfig
  /** Where its own disks lie. */
  readonly folder: string
}

export function createHotplug({ host, domain, config, folder }: HotplugRequest): Hotplug {
  let added = new Map<string, string>()
  let made = 0
  const name = quote(domain)

  const disksOf = async (call: CallOptions): Promise<number[]> =>
    read(parseBlockList, await host.shell.demand(xl('block-list', name), call), host.id)
  const cardsOf = async (call: CallOptions): Promise<string[]> =>
    read(parseNetworkList, await host.shell.demand(xl('network-list', name), call), host.id)
  /** xl gives up before a slow guest does what it was asked for: only the list says what became of it. */
  const detach = async (
    words: readonly string[],
    isThere: () => Promise<boolean>,
    what: string,
    call: CallOptions,
  ): Promise<void> => {
    if (!(await isThere())) {
      return
    }
    const { stderr } = await host.shell.run(xl(...words), call)
    const { unplug } = host.limits
    if (!(await until(host, async () => !(await isThere()), unplug, call.signal))) {
      throw guestIsLate(host, call.where, `let go of ${what}`, unplug, stderr)
    }
  }

  return {
    get added() {
      return added
    },
    becomes: async (others, call) => {
      const kept = new Set(others.values())
      const forgotten = [...added.values()].filter(file => !kept.has(file))
      added = new Map(others)
      await removeFiles(host.shell, forgotten, call)
    },
    attachDisk: async (sizeBytes, call) => {
      const used = new Set(await disksOf(call))
      const vdev = vdevs.find(vdev => !used.has(vdevNumber(vdev)) && !isConfigured(config, vdev))
      if (vdev === undefined) {
        throw refused(call.where, `it has all the disks that it can have, ${vdevs[0]} to ${vdevs.at(-1)}`)
      }
      made += 1
      const target = posix.join(folder, `${domain}.added-${made}.img`)
      const size = Math.ceil(sizeBytes / sectorBytes) * sectorBytes
      try {
        await makeDisk(host.shell, { file: target, format: 'raw', sizeBytes: size }, call)
        const disk = writeDisk({ target, vdev, writable: true, format: 'raw', cdrom: false })
        await host.shell.demand(xl('block-attach', name, quote(disk)), call)
      } catch (error) {
        await removeFiles(host.shell, [target], call).catch(() => {})
        throw error
      }
      added.set(vdev, target)
      return { serial: vdev, device: vdev }
    },
    detachDisk: async (vdev, call) => {
      const file = added.get(vdev)
      if (file === undefined) {
        throw refused(call.where, `"${vdev}" is no disk that was added to it`)
      }
      const isThere = async (): Promise<boolean> => (await disksOf(call)).includes(vdevNumber(vdev))
      await detach(['block-detach', name, vdev], isThere, `the disk ${vdev}`, call)
      await removeFiles(host.shell, [file], call)
      added.delete(vdev)
    },
    attachNic: async call => {
      made += 1
      const mac = macFor(`${domain} added ${made}`)
      await host.shell.demand(xl('network-attach', name, ...cardLike(config, mac).map(quote)), call)
      return { mac }
    },
    detachNic: async (mac, call) => {
      const wanted = mac.toLowerCase()
      if (configuredMacs(config).includes(wanted)) {
        throw refused(call.where, `"${mac}" is no card that was added to it`)
      }
      const isThere = async (): Promise<boolean> => (await cardsOf(call)).includes(wanted)
      await detach(['network-detach', name, quote(wanted)], isThere, `the card ${wanted}`, call)
    },
  }
}

function isConfigured(config: DomainConfig, vdev: string): boolean {
  return listOf(config, 'disk').some(disk => parseDisk(disk).vdev === vdev)
}

function configuredMacs(config: DomainConfig): string[] {
  return listOf(config, 'vif').flatMap(vif => macOfVif(vif) ?? [])
}

/** The words of a card like the first one, which has its name on the host and its address for itself. */
function cardLike(config: DomainConfig, mac: string): string[] {
  const [first = ''] = listOf(config, 'vif')
  const kept = first.split(',').map(part => part.trim())
  return [`mac=${mac}`, ...kept.filter(part => part !== '' && !/^(?:mac|vifname|ip)=/.test(part))]
}

function listOf(config: DomainConfig, key: string): readonly string[] {
  const value = config.get(key)
  return typeof value === 'object' ? value : []
}
