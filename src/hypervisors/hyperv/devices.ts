import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, win32 } from 'node:path'
import { sent, type VmCommands } from '../managed-vm/backend.js'
import { hostError, refused } from '../shared/host-commands.js'
import { cardOf, driveOf, readRow } from './output.js'
import { pictureOf } from './picture.js'
import { askVm, callOf, demandDone, diskName, type HyperVPlace, lookAt } from './vm.js'

/** The smallest virtual disk, and what its size is a multiple of (learn.microsoft.com, New-VHD). */
const diskUnit = 4 * 2 ** 20
const memoryUnit = 2 * 2 ** 20
const leastMemory = 32 * 2 ** 20

/** What is added to an instance's own machine while it runs. */
export type Hotplug = Required<
  Pick<VmCommands, 'attachDisk' | 'detachDisk' | 'attachNic' | 'detachNic' | 'setMemory'>
>

export interface HotplugRequest {
  readonly place: HyperVPlace
  /** Where the files of its disks are. */
  readonly folder: string
  /** The memory that it was made with. */
  readonly memoryBytes: number
}

/** Files of disks that were added stay in the instance's folder: a checkpoint may need them. */
export function createHotplug({ place, folder, memoryBytes: most }: HotplugRequest): Hotplug {
  const { instance, host } = place
  const { limits } = host
  let [disks, cards] = [0, 0]
  return {
    attachDisk: async (sizeBytes, signal) => {
      const bytes = Math.max(1, Math.ceil(sizeBytes / diskUnit)) * diskUnit
      disks += 1
      const path = win32.join(folder, `${instance}.added-${disks}.vhdx`)
      const rows = await askVm(place, 'attachDisk', [path, String(bytes)], callOf(place, signal, 'storage'))
      const serial = diskName({ type: 'SCSI', ...readRow('place', rows) })
      return {
        value: { serial },
        shows: {
          what: 'add the disk',
          cause: 'host',
          limit: limits.command,
          devices: true,
          holds: seen => seen.devices?.disks.includes(serial) === true,
        },
      }
    },
    detachDisk: async (serial, signal) => {
      const looked = await lookAt(place, callOf(place, signal))
      const drive = looked?.disks.map(driveOf).find(one => diskName(one) === serial)
      if (drive !== undefined) {
        const at = [String(drive.number), String(drive.location)]
        await askVm(place, 'detachDisk', at, callOf(place, signal))
      }
      return {
        value: undefined,
        shows: {
          what: 'let go of the disk',
          cause: 'guest',
          limit: limits.unplug,
          devices: true,
          holds: seen => seen.devices?.disks.includes(serial) !== true,
        },
      }
    },
    attachNic: async signal => {
      const looked = await lookAt(place, callOf(place, signal))
      const switchName = looked?.nics.map(cardOf)[0]?.switchName ?? ''
      cards += 1
      const hex = createHash('sha256').update(`${instance} card ${cards}`).digest('hex')
      // The first three bytes are Microsoft's.
      const mac = `00:15:5d:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`
      const args = [switchName, `guestcert ${cards}`, mac.replaceAll(':', '').toUpperCase()]
      await askVm(place, 'attachNic', args, callOf(place, signal))
      return {
        value: { mac },
        shows: {
          what: 'add the network card',
          cause: 'host',
          limit: limits.command,
          devices: true,
          holds: seen => seen.devices?.nics.includes(mac) === true,
        },
      }
    },
    detachNic: async (mac, signal) => {
      await askVm(place, 'detachNic', [mac.replaceAll(':', '').toUpperCase()], callOf(place, signal))
      return {
        value: undefined,
        shows: {
          what: 'let go of the network card',
          cause: 'guest',
          limit: limits.unplug,
          devices: true,
          holds: seen => seen.devices?.nics.includes(mac) !== true,
        },
      }
    },
    setMemory: async (wanted, signal) => {
      const bytes = Math.floor(wanted / memoryUnit) * memoryUnit
      if (bytes < leastMemory || bytes > most) {
        throw refused(
          instance,
          `it cannot have ${wanted} bytes of memory: expected from ${leastMemory} to ${most}`,
        )
      }
      await askVm(place, 'memory', [String(bytes)], callOf(place, signal))
      return {
        value: undefined,
        shows: {
          what: `come to ${bytes / 2 ** 20} MiB of memory`,
          cause: 'guest',
          limit: limits.unplug,
          devices: true,
          holds: seen => seen.devices?.memoryBytes === bytes,
        },
      }
    },
  }
}

/** Takes a picture of a machine's screen into a folder. */
export function screenshotOf(place: HyperVPlace, folder: string): NonNullable<VmCommands['screenshot']> {
  return async (number, signal) => {
    const rows = await askVm(place, 'screenshot', [], callOf(place, signal, 'evidence'))
    const { code, width, height, image } = readRow('picture', rows)
    demandDone(place, 'GetVirtualSystemThumbnailImage', code)
    const picture = pictureOf(Buffer.from(image, 'base64'), width, height)
    if (picture === null) {
      throw hostError(
        place.instance,
        `${place.instance} on ${place.host.id}: the picture of its screen has not the bytes of ${width} by ${height} pixels`,
      )
    }
    const name = `screenshot-${number}.ppm`
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, name), picture)
    return { ...sent(), value: name }
  }
}
