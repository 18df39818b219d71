import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import { type HostLimits, untilHolds } from '../limit.js'
import { type Sent, showing, type VmCommands } from '../managed-vm/backend.js'
import type { Devices, Observation } from '../managed-vm/observation.js'
import { runTool, type ToolOptions } from '../shared/tool.js'
import { QmpRefusal } from './qmp.js'
import { isRecord } from './qmp-message.js'

/** Asks the QEMU that runs now. */
type Execute = (
  command: string,
  signal: AbortSignal,
  args?: Readonly<Record<string, unknown>>,
) => Promise<unknown>

/** What devices are added to, and how. */
export interface HotplugSetting {
  readonly execute: Execute
  readonly where: string
  readonly limits: HostLimits
  /** The instance's folder, where the files of added disks are. */
  readonly folder: string
  /** The device of a card like the guest's first one. */
  readonly nicDevice: () => string
  readonly tools: (signal: AbortSignal) => ToolOptions
}

type Hotplug = Required<Pick<VmCommands, 'attachDisk' | 'detachDisk' | 'attachNic' | 'detachNic'>>

/** A network of QEMU's own, beside that of the first card: two cards with one address would cut the guest off. */
const network = '10.0.3.0/24'

/** The devices that were added to a QEMU that runs: disks by their serials, cards by the digits of their MAC addresses. */
export async function peripherals(execute: Execute, signal: AbortSignal): Promise<Devices> {
  const answer = await execute('qom-list', signal, { path: '/machine/peripheral' })
  const names = Array.isArray(answer) ? answer.filter(isRecord).map(({ name }) => String(name)) : []
  const of = (prefix: string): string[] =>
    names.filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length))
  return { disks: of('disk-'), nics: of('card-'), vcpus: null, memoryBytes: null }
}

/**
 * Adds PCI devices to a running QEMU and takes them away. They last until it ends. Devices and nodes have the serial
 * or the MAC address in their ids, so that nothing need be remembered.
 */
export function createHotplug({ execute, where, limits, folder, nicDevice, tools }: HotplugSetting): Hotplug {
  let made = 0
  const has = (kind: 'disks' | 'nics', one: string) => (seen: Observation) =>
    seen.devices?.[kind].includes(one) === true
  const given = <T>(value: T, what: string, holds: (seen: Observation) => boolean): Sent<T> => {
    return { value, shows: { what, cause: 'host', limit: limits.command, devices: true, holds } }
  }
  /** The guest lets go of a device when it likes; then it is on the list no more. */
  const unplug = async (
    id: string,
    what: string,
    isThere: (seen: Observation) => boolean,
    signal: AbortSignal,
  ): Promise<Sent<void>> => {
    await execute('device_del', signal, { id })
    return showing({
      what: `let go of ${what}`,
      cause: 'guest',
      limit: limits.unplug,
      devices: true,
      holds: seen => !isThere(seen),
    })
  }
  /** A disk that is off the list may hold its node for a while: its last requests are still being answered. */
  const removeNode = async (node: string, signal: AbortSignal): Promise<void> => {
    let refusal: unknown
    const remove = async (): Promise<boolean> => {
      try {
        await execute('blockdev-del', signal, { 'node-name': node })
        return true
      } catch (error) {
        refusal = error
        if (
          error instanceof InfraError &&
          error.cause instanceof QmpRefusal &&
          /in use/.test(error.message)
        ) {
          return false
        }
        throw error
      }
    }
    if (!(await untilHolds(remove, { limit: limits.command, everyMs: limits.lookEvery.ms, signal }))) {
      throw refusal
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
      await execute('blockdev-add', signal, { driver: 'qcow2', 'node-name': node, file })
      const device = { driver: 'virtio-blk-pci', id: `disk-${serial}`, drive: node, serial }
      await execute('device_add', signal, device)
      return given({ serial }, `attach the disk ${serial}`, has('disks', serial))
    },
    detachDisk: async (serial, signal) => {
      const finish = async (until: AbortSignal): Promise<void> => {
        await removeNode(`node-${serial}`, until)
        await rm(fileOf(serial), { force: true })
      }
      return {
        ...(await unplug(`disk-${serial}`, `the disk ${serial}`, has('disks', serial), signal)),
        finish,
      }
    },
    attachNic: async signal => {
      made += 1
      const bytes = hashOf(`${where} card ${made}`, 6).match(/../g) ?? []
      const mac = `52:54:00:${bytes.join(':')}`
      const id = idOf(mac)
      await execute('netdev_add', signal, { type: 'user', id: `net-${id}`, restrict: true, net: network })
      await execute('device_add', signal, { driver: nicDevice(), id: `card-${id}`, netdev: `net-${id}`, mac })
      return given({ mac }, `attach the card ${mac}`, has('nics', id))
    },
    detachNic: async (mac, signal) => {
      const id = idOf(mac.toLowerCase())
      const finish = async (until: AbortSignal): Promise<void> => {
        await execute('netdev_del', until, { id: `net-${id}` })
      }
      return { ...(await unplug(`card-${id}`, `the card ${mac}`, has('nics', id), signal)), finish }
    },
  }
}

function idOf(mac: string): string {
  return mac.replaceAll(':', '')
}

function hashOf(words: string, digits: number): string {
  return createHash('sha256').update(`guestcert ${words}`).digest('hex').slice(0, digits)
}
