import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import type { RunningGuest } from '../driver.js'
import { bounded, type HostLimits } from '../limit.js'
import { runTool, type ToolOptions } from '../shared/tool.js'
import type { QmpClient } from './qmp.js'

/** What devices are added to, and how. */
export interface HotplugSetting {
  /** Of the QEMU that runs now. */
  readonly qmp: () => QmpClient
  readonly where: string
  readonly limits: HostLimits
  /** The instance's folder, where the files of added disks are. */
  readonly folder: string
  /** The device of a card like the guest's first one. */
  readonly nicDevice: string
  readonly tools: (signal: AbortSignal) => ToolOptions
}

type Hotplug = Pick<Required<RunningGuest>, 'attachDisk' | 'detachDisk' | 'attachNic' | 'detachNic'>

/** A network of QEMU's own, beside that of the first card: two cards with one address would cut the guest off. */
const network = '10.0.3.0/24'

/**
 * Adds PCI devices to a running QEMU and takes them away. They last until it ends. Devices and nodes have the serial
 * or the MAC address in their ids, so that nothing need be remembered.
 */
export function createHotplug({ qmp, where, limits, folder, nicDevice, tools }: HotplugSetting): Hotplug {
  let made = 0
  const ask = (command: string, args: Record<string, unknown>, signal: AbortSignal): Promise<unknown> =>
    qmp()
      .execute(command, args, limits.command, signal)
      .catch((error: unknown) => {
        throw error instanceof InfraError || !(error instanceof Error)
          ? error
          : new InfraError(`${where}: ${error.message}`, { cause: 'host', where, code: 'driver' })
      })
  /** The guest lets go of a device when it likes; QEMU says when it has. */
  const unplug = async (id: string, what: string, signal: AbortSignal): Promise<void> => {
    let stop = (): void => {}
    const deleted = new Promise<void>(resolve => {
      stop = qmp().onEvent(({ name, data }) => {
        if (name === 'DEVICE_DELETED' && data.device === id) {
          resolve()
        }
      })
    })
    try {
      await ask('device_del', { id }, signal)
      await bounded(deleted, where, `the guest letting go of ${what}`, limits.unplug, signal)
    } catch (error) {
      const isLate = error instanceof InfraError && error.context.code === 'limit'
      throw isLate ? new InfraError(error.message, { ...error.context, cause: 'guest' }) : error
    } finally {
      stop()
    }
  }
  const fileOf = (serial: string): string => join(folder, `added-${serial}.qcow2`)
  return {
    attachDisk: async (sizeBytes, signal) => {
      made += 1
      const serial = hashOf(`${where} disk ${made}`, 16)
      const node = `node-${serial}`
      const file = { driver: 'file', filename: fileOf(serial) }
      const create = ['create', '-q', '-f', 'qcow2', fileOf(serial), String(Math.ceil(sizeBytes))]
      await runTool('qemu-img', create, tools(signal))
      await ask('blockdev-add', { driver: 'qcow2', 'node-name': node, file }, signal)
      const device = { driver: 'virtio-blk-pci', id: `disk-${serial}`, drive: node, serial }
      await ask('device_add', device, signal)
      return { serial }
    },
    detachDisk: async (serial, signal) => {
      await unplug(`disk-${serial}`, `the disk ${serial}`, signal)
      await ask('blockdev-del', { 'node-name': `node-${serial}` }, signal)
      await rm(fileOf(serial), { force: true })
    },
    attachNic: async signal => {
      made += 1
      const bytes = hashOf(`${where} card ${made}`, 6).match(/../g) ?? []
      const mac = `52:54:00:${bytes.join(':')}`
      const id = idOf(mac)
      await ask('netdev_add', { type: 'user', id: `net-${id}`, restrict: true, net: network }, signal)
      await ask('device_add', { driver: nicDevice, id: `card-${id}`, netdev: `net-${id}`, mac }, signal)
      return { mac }
    },
    detachNic: async (mac, signal) => {
      const id = idOf(mac.toLowerCase())
      await unplug(`card-${id}`, `the card ${mac}`, signal)
      await ask('netdev_del', { id: `net-${id}` }, signal)
    },
  }
}

function idOf(mac: string): string {
  return mac.replaceAll(':', '')
}

function hashOf(words: string, digits: number): string {
  return createHash('sha256').update(`guestcert ${words}`).digest('hex').slice(0, digits)
}
