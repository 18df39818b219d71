import { posix } from 'node:path'
import { quote } from '../../remote/index.js'
import { type Expectation, type Sent, showing, type VmCommands } from '../managed-vm/backend.js'
import type { Observation } from '../managed-vm/observation.js'
import { type CallOptions, read, refused } from '../shared/host-commands.js'
import { makeDisk, removeFiles } from '../shared/storage.js'
import { macFor } from './clone.js'
import type { DomainConfig } from './config.js'
import { macOfVif, parseDisk, vdevNumber, vdevs, writeDisk } from './disks.js'
import { callOf, type XlPlace } from './domain-vm.js'
import { xl } from './host.js'
import { parseBlockList, parseNetworkList } from './output.js'

const sectorBytes = 512

/** Disks and cards that are added to one instance while it runs. */
export interface Hotplug
  extends Required<Pick<VmCommands, 'attachDisk' | 'detachDisk' | 'attachNic' | 'detachNic'>> {
  /** The files of the disks that were added, by the guest's name for them. */
  readonly added: ReadonlyMap<string, string>
  /** The domain is now another one, that has these disks besides its own; the files of others are removed. */
  becomes(added: ReadonlyMap<string, string>, call: CallOptions): Promise<void>
}

/** Adds devices to a domain of the instance's own; `folder` is where its own disks lie. */
export function createHotplug(place: XlPlace, folder: string): Hotplug {
  const { host, domain, config } = place
  const { limits, shell } = host
  let added = new Map<string, string>()
  let made = 0
  const name = quote(domain)
  const quick = (signal: AbortSignal): CallOptions => callOf(place, limits.command, signal)
  const disksOf = async (signal: AbortSignal): Promise<number[]> =>
    read(parseBlockList, await shell.demand(xl('block-list', name), quick(signal)), host.id)
  const cardsOf = async (signal: AbortSignal): Promise<string[]> =>
    read(parseNetworkList, await shell.demand(xl('network-list', name), quick(signal)), host.id)
  const hasDisk = (vdev: string) => (seen: Observation) =>
    seen.devices?.disks.includes(String(vdevNumber(vdev))) === true
  const hasNic = (mac: string) => (seen: Observation) => seen.devices?.nics.includes(mac) === true
  const given = (what: string, holds: (seen: Observation) => boolean): Expectation => {
    return { what, cause: 'host', limit: limits.command, devices: true, holds }
  }
  /** xl gives up before a slow guest does what it was asked for: only the list says what became of it. */
  const letGo = async (
    words: readonly string[],
    isThere: boolean,
    what: string,
    holds: (seen: Observation) => boolean,
    signal: AbortSignal,
  ): Promise<Sent<void>> => {
    const said = isThere ? (await shell.run(xl(...words), quick(signal))).stderr : ''
    const limit = limits.unplug
    return showing({ what: `let go of ${what}`, cause: 'guest', limit, devices: true, holds, said })
  }

  return {
    get added() {
      return added
    },
    becomes: async (others, call) => {
      const kept = new Set(others.values())
      const forgotten = [...added.values()].filter(file => !kept.has(file))
      added = new Map(others)
      await removeFiles(shell, forgotten, call)
    },
    attachDisk: async (sizeBytes, signal) => {
      const used = new Set(await disksOf(signal))
      const vdev = vdevs.find(vdev => !used.has(vdevNumber(vdev)) && !isConfigured(config, vdev))
      if (vdev === undefined) {
        throw refused(place.instance, `it has all the disks that it can have, ${vdevs[0]} to ${vdevs.at(-1)}`)
      }
      made += 1
      const target = posix.join(folder, `${domain}.added-${made}.img`)
      const size = Math.ceil(sizeBytes / sectorBytes) * sectorBytes
      try {
        await makeDisk(shell, { file: target, format: 'raw', sizeBytes: size }, quick(signal))
        const disk = writeDisk({ target, vdev, writable: true, format: 'raw', cdrom: false })
        await shell.demand(xl('block-attach', name, quote(disk)), quick(signal))
      } catch (error) {
        await removeFiles(shell, [target], quick(signal)).catch(() => {})
        throw error
      }
      added.set(vdev, target)
      return { value: { serial: vdev, device: vdev }, shows: given(`attach the disk ${vdev}`, hasDisk(vdev)) }
    },
    detachDisk: async (vdev, signal) => {
      const file = added.get(vdev)
      if (file === undefined) {
        throw refused(place.instance, `"${vdev}" is not a disk that was added to it`)
      }
      const isThere = (await disksOf(signal)).includes(vdevNumber(vdev))
      const isGone = (seen: Observation): boolean => !hasDisk(vdev)(seen)
      const finish = async (until: AbortSignal): Promise<void> => {
        await removeFiles(shell, [file], quick(until))
        added.delete(vdev)
      }
      return {
        ...(await letGo(['block-detach', name, vdev], isThere, `the disk ${vdev}`, isGone, signal)),
        finish,
      }
    },
    attachNic: async signal => {
      made += 1
      const mac = macFor(`${domain} added ${made}`)
      await shell.demand(xl('network-attach', name, ...cardLike(config, mac).map(quote)), quick(signal))
      return { value: { mac }, shows: given(`attach the card ${mac}`, hasNic(mac)) }
    },
    detachNic: async (mac, signal) => {
      const wanted = mac.toLowerCase()
      if (configuredMacs(config).includes(wanted)) {
        throw refused(place.instance, `"${mac}" is not a card that was added to it`)
      }
      const isThere = (await cardsOf(signal)).includes(wanted)
      const isGone = (seen: Observation): boolean => !hasNic(wanted)(seen)
      return letGo(['network-detach', name, quote(wanted)], isThere, `the card ${wanted}`, isGone, signal)
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
