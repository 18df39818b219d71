import { createHash } from 'node:crypto'
import { InfraError } from '../../config/errors.js'
import { showing, type VmBackend } from '../managed-vm/backend.js'
import type { Observation } from '../managed-vm/observation.js'
import { readObject } from './api/properties.js'
import { devicesIn, hardwarePath, isDisk, isNic, macOf, serialOf } from './machine.js'
import { childrenOf, type Element, find, numberAt, textAt } from './soap/element.js'
import { again, tag, type Written } from './soap/write.js'
import type { Vm } from './vm.js'

type Hotplug = Required<Pick<VmBackend, 'attachDisk' | 'detachDisk' | 'attachNic' | 'detachNic'>>

/** Adding devices to a machine that runs, and taking them away. */
export function hotplugOf(vm: Vm): Hotplug {
  const { limits } = vm.host
  const devices = async (signal: AbortSignal): Promise<readonly Element[]> => {
    const read = await readObject(vm.host.site.session, vm.machine, [hardwarePath], vm.options(signal))
    return devicesIn(read?.at(hardwarePath))
  }
  const change = async (parts: readonly Written[], signal: AbortSignal): Promise<void> => {
    const spec = tag('spec', [tag('deviceChange', parts)])
    await vm.finish(vm.call('ReconfigVM_Task', [spec]), limits.unplug, signal)
  }
  const remove = async (device: Element | undefined, isFile: boolean, signal: AbortSignal): Promise<void> => {
    if (device !== undefined) {
      await change(
        [
          tag('operation', 'remove'),
          ...(isFile ? [tag('fileOperation', 'destroy')] : []),
          again({ ...device, name: 'device' }),
        ],
        signal,
      )
    }
  }
  const has = (kind: 'disks' | 'nics', name: string, wanted: boolean) => ({
    what: `${wanted ? 'have' : 'let go of'} ${name}`,
    cause: wanted ? ('host' as const) : ('guest' as const),
    limit: limits.unplug,
    devices: true,
    holds: (seen: Observation) => seen.devices?.[kind].includes(name) === wanted,
  })
  let cards = 0
  return {
    attachDisk: async (sizeBytes, signal) => {
      const before = await devices(signal)
      await change(
        [tag('operation', 'add'), tag('fileOperation', 'create'), newDisk(vm, before, sizeBytes)],
        signal,
      )
      const known = new Set(before.filter(isDisk).map(disk => textAt(disk, 'key')))
      const added = (await devices(signal)).filter(isDisk).find(disk => !known.has(textAt(disk, 'key')))
      if (added === undefined) {
        throw refused(vm, 'the disk was added, and is not there')
      }
      const serial = serialOf(added)
      return { ...showing(has('disks', serial, true)), value: { serial } }
    },
    detachDisk: async (serial, signal) => {
      const disk = (await devices(signal)).find(each => isDisk(each) && serialOf(each) === serial)
      await remove(disk, true, signal)
      return showing(has('disks', serial, false))
    },
    attachNic: async signal => {
      const first = (await devices(signal)).find(isNic)
      if (first === undefined) {
        throw refused(vm, 'it has no network card that another one could be like')
      }
      cards += 1
      const mac = macFor(`${vm.instance} ${cards}`)
      await change([tag('operation', 'add'), newNic(first, mac)], signal)
      return { ...showing(has('nics', mac, true)), value: { mac } }
    },
    detachNic: async (mac, signal) => {
      const nic = (await devices(signal)).find(each => isNic(each) && macOf(each) === mac)
      await remove(nic, false, signal)
      return showing(has('nics', mac, false))
    },
  }
}

/** SCSI controllers have 16 places, of which the seventh is their own. */
const scsiPlaces = 16
const ownPlace = 7
/** A key of a device that the server gives another one to. */
const newKey = -101

function newDisk(vm: Vm, devices: readonly Element[], sizeBytes: number): Written {
  const place = freePlace(devices)
  if (place === null) {
    throw refused(
      vm,
      'it has no SCSI controller with a free place: only such a disk can be added while it runs',
    )
  }
  const backing = tag(
    'backing',
    [tag('fileName', ''), tag('diskMode', 'persistent'), tag('thinProvisioned', true)],
    'VirtualDiskFlatVer2BackingInfo',
  )
  const parts = [
    tag('key', newKey),
    backing,
    tag('controllerKey', place.controller),
    tag('unitNumber', place.unit),
    tag('capacityInKB', Math.ceil(sizeBytes / 1024)),
  ]
  return tag('device', parts, 'VirtualDisk')
}

/** The first free place on a SCSI controller. */
function freePlace(
  devices: readonly Element[],
): { readonly controller: number; readonly unit: number } | null {
  for (const controller of devices.filter(({ type }) => scsiTypes.has(type ?? ''))) {
    const key = numberAt(controller, 'key') ?? 0
    const taken = devices
      .filter(device => numberAt(device, 'controllerKey') === key)
      .map(device => numberAt(device, 'unitNumber'))
    for (let unit = 0; unit < scsiPlaces; unit += 1) {
      if (unit !== ownPlace && !taken.includes(unit)) {
        return { controller: key, unit }
      }
    }
  }
  return null
}

const scsiTypes: ReadonlySet<string> = new Set([
  'ParaVirtualSCSIController',
  'VirtualBusLogicController',
  'VirtualLsiLogicController',
  'VirtualLsiLogicSASController',
])

/** A card of the same kind on the same network. */
function newNic(like: Element, mac: string): Written {
  const backing = childrenOf(like, 'backing').map(each => again(withoutPort(each)))
  const parts = [
    tag('key', newKey),
    ...backing,
    tag('connectable', [tag('startConnected', true), tag('allowGuestControl', true), tag('connected', true)]),
    tag('addressType', 'manual'),
    tag('macAddress', mac),
  ]
  return tag('device', parts, like.type ?? 'VirtualVmxnet3')
}

/** The port of a distributed switch belongs to one card: the server finds another one in the same port group. */
function withoutPort(backing: Element): Element {
  const port = find(backing, 'port')
  if (port === undefined) {
    return backing
  }
  const kept = port.children.filter(({ name }) => name === 'switchUuid' || name === 'portgroupKey')
  const children = backing.children.map(each => (each === port ? { ...port, children: kept } : each))
  return { ...backing, children }
}

/** A MAC address out of the range that VMware lets people choose from: 00:50:56:00:00:00 to 00:50:56:3F:FF:FF. */
function macFor(words: string): string {
  const hash = createHash('sha256').update(`guestcert mac ${words}`).digest()
  const bytes = [(hash[0] ?? 0) & 0x3f, hash[1] ?? 0, hash[2] ?? 0]
  return `00:50:56:${bytes.map(byte => byte.toString(16).padStart(2, '0')).join(':')}`
}

function refused({ instance }: Vm, why: string): InfraError {
  return new InfraError(`${instance}: ${why}`, { cause: 'host', where: instance, code: 'driver' })
}
