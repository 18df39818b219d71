import type { ManagedHostPersona } from '../../persona/schema.js'
import {
  bootImage,
  diskOf,
  disksOf,
  hardwareOf,
  macOf,
  memoryKiB,
  nicsOf,
  uuidFrom,
  vcpusOf,
} from '../domain.js'
import type { HostFaults } from '../faults.js'
import type { Hypervisor } from '../hypervisor.js'
import { neighbours } from '../network.js'
import { nameOf, type Vm, xmlOf } from '../vm.js'
import { copyXml, make, text, type Xml } from '../xml.js'
import { el, ref, words } from './message.js'

/** An ESXi host of an emulated vCenter. */
export interface EsxHost {
  readonly id: number
  readonly name: string
  readonly hypervisor: Hypervisor
  readonly persona: ManagedHostPersona & { readonly vsphere: NonNullable<ManagedHostPersona['vsphere']> }
  readonly faults: HostFaults
}

/** A snapshot as the vCenter knows it; the model keeps disk and memory under its id. */
export interface Snapshot {
  readonly id: string
  readonly name: string
  readonly madeAt: string
  readonly wasOn: boolean
  readonly parent: string | undefined
  readonly annotation: string
  readonly xml: Xml
}

/** A virtual machine as the vCenter knows it. */
export interface Machine {
  readonly id: string
  vm: Vm
  host: EsxHost
  readonly name: string
  annotation: string
  readonly extra: Map<string, string>
  readonly snapshots: Map<string, Snapshot>
  bootedAt: string | undefined
  readonly tasks: Set<string>
}

/** Where the disks of all hosts of a site lie. */
export const datastore = 'shared'
export const datastoreFolder = '/var/lib/libvirt/shared'

export function powerOf({ vm }: Machine): 'poweredOn' | 'poweredOff' | 'suspended' {
  return vm.running === undefined ? 'poweredOff' : vm.state === 'paused' ? 'suspended' : 'poweredOn'
}

/** Whether VMware Tools run in its guest: with the guest, from the end of its boot on. */
export function hasTools({ vm }: Machine): boolean {
  return vm.running?.guest?.state === 'running' && vm.state === 'running'
}

/** A domain of the model that has what a machine is given (the model speaks libvirt's XML). */
export function domainOf(
  name: string,
  hardware: {
    vcpus: number
    memoryBytes: number
    firmware?: string | undefined
    disk?: string | undefined
    nic?: string | undefined
  },
): Xml {
  const kib = String(Math.round(hardware.memoryBytes / 1024))
  return make('domain', { type: 'vmware' }, [
    make('name', {}, name),
    make('memory', { unit: 'KiB' }, kib),
    make('vcpu', {}, String(hardware.vcpus)),
    make('os', hardware.firmware === 'uefi' ? { firmware: 'efi' } : {}, [
      make('type', { arch: 'x86_64' }, 'hvm'),
    ]),
    make('devices', {}, [
      diskXml(fileOf(name, 'sda'), 'sda', hardware.disk ?? 'pvscsi'),
      make('interface', { type: 'network' }, [
        make('source', { network: 'VM Network' }),
        make('model', { type: hardware.nic ?? 'vmxnet3' }),
      ]),
    ]),
  ])
}

export function fileOf(name: string, target: string): string {
  return `${datastoreFolder}/${name}-${target}.vmdk`
}

export function diskXml(file: string, target: string, bus: string): Xml {
  return make('disk', { type: 'file', device: 'disk' }, [
    make('driver', { name: 'vmware', type: 'raw' }),
    make('source', { file }),
    make('target', { dev: target, bus }),
    make('serial', {}, uuidFrom(`disk ${file}`).replaceAll('-', '').replace(/^.{8}/, '6000c29e')),
  ])
}

/** The same machine under another name, with disks and addresses of its own. */
export function renamed(xml: Xml, name: string): Xml {
  const { vcpus, memoryBytes, firmware, disk, nic } = hardwareOf(copyXml(xml))
  return domainOf(name, { vcpus, memoryBytes, firmware, disk, nic })
}

const scsi = { key: 1000, ownUnit: 7 } as const
const [firstDiskKey, firstNicKey] = [2000, 4000]
const nicTypes: Readonly<Record<string, string>> = {
  e1000: 'VirtualE1000',
  e1000e: 'VirtualE1000e',
  vmxnet3: 'VirtualVmxnet3',
}

export function unitOf(target: string): number {
  const index = target.charCodeAt(2) - 'a'.charCodeAt(0)
  return index < scsi.ownUnit ? index : index + 1
}

export function targetOf(unit: number): string {
  return `sd${String.fromCharCode('a'.charCodeAt(0) + (unit < scsi.ownUnit ? unit : unit - 1))}`
}

/** VirtualHardware. */
export function hardwareXml(machine: Machine): string {
  const xml = xmlOf(machine.vm)
  const bus = disksOf(xml)[0]?.bus
  const controller = bus === 'pvscsi' ? 'ParaVirtualSCSIController' : 'VirtualLsiLogicController'
  const disks = disksOf(xml).map(({ target, file = '', xml: disk }) => {
    const serial = text(disk, 'serial') ?? ''
    const uuid = serial.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    const backing = [
      el('fileName', words(`[${datastore}] ${file.slice(datastoreFolder.length + 1)}`)),
      ref('datastore', 'Datastore', 'datastore-1'),
      el('diskMode', 'persistent'),
      el('thinProvisioned', true),
      el('uuid', uuid),
    ].join('')
    return el(
      'device',
      [
        el('key', firstDiskKey + unitOf(target)),
        el('backing', backing, 'VirtualDiskFlatVer2BackingInfo'),
        el('controllerKey', scsi.key),
        el('unitNumber', unitOf(target)),
        el('capacityInKB', 1024),
      ].join(''),
      'VirtualDisk',
    )
  })
  const nics = nicsOf(xml).map((nic, index) =>
    el(
      'device',
      [
        el('key', firstNicKey + index),
        el(
          'backing',
          `${el('deviceName', 'VM Network')}${ref('network', 'Network', 'network-1')}`,
          'VirtualEthernetCardNetworkBackingInfo',
        ),
        el('controllerKey', 100),
        el('unitNumber', 7 + index),
        el('addressType', 'assigned'),
        el('macAddress', macOf(nic) ?? ''),
      ].join(''),
      nicTypes[nicModel(nic)] ?? 'VirtualVmxnet3',
    ),
  )
  return [
    el('numCPU', vcpusOf(xml).now),
    el('memoryMB', Math.round(memoryKiB(xml) / 1024)),
    el('device', `${el('key', scsi.key)}${el('busNumber', 0)}`, controller),
    ...disks,
    ...nics,
  ].join('')
}

export function nicModel(nic: Xml): string {
  const model = nic.children.find(child => typeof child === 'object' && child.name === 'model')
  return typeof model === 'object' ? (model.attributes.type ?? 'vmxnet3') : 'vmxnet3'
}

/** The disk of that key, and the card of that address. */
export function findDisk(machine: Machine, key: number): Xml | undefined {
  return disksOf(xmlOf(machine.vm)).find(({ target }) => firstDiskKey + unitOf(target) === key)?.xml
}

export function fileOfDisk(disk: Xml): string | undefined {
  return diskOf(disk).file
}

export function imageOf(machine: Machine): string | undefined {
  return bootImage(xmlOf(machine.vm))
}

/** GuestInfo.net: what VMware Tools tell of its cards. */
export function netXml(machine: Machine): string {
  const { hypervisor, persona } = machine.host
  const own = neighbours(hypervisor, persona).filter(({ name }) => name === nameOf(machine.vm))
  return hasTools(machine)
    ? own
        .map(({ mac, address }) => {
          const card = [
            el('network', 'VM Network'),
            el('ipAddress', address),
            el('macAddress', mac),
            el('connected', true),
          ]
          return el('GuestNicInfo', card.join(''), 'GuestNicInfo')
        })
        .join('')
    : ''
}
