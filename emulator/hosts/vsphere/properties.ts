import { uuidOf } from '../vm.js'
import {
  datastore,
  type EsxHost,
  hardwareXml,
  hasTools,
  type Machine,
  netXml,
  powerOf,
  type Snapshot,
} from './machine.js'
import { el, ref, words } from './message.js'
import type { Task } from './task.js'

/** A property as an answer has it: its type, and its content. */
export type Value = readonly [type: string, content: string]

const text = (value: string): Value => ['xsd:string', words(value)]
const flagged = (value: boolean): Value => ['xsd:boolean', String(value)]

/** An element `val`, with the reference's own attribute where it is one. */
export function valueXml([type, content]: Value): string {
  const to = /^ref (\w+)$/.exec(type)?.[1]
  return to === undefined
    ? el('val', content, type)
    : `<val type="${to}" xsi:type="ManagedObjectReference">${words(content)}</val>`
}

/** A property of a virtual machine; undefined where it is unset. */
export function machineProperty(
  machine: Machine,
  values: ReadonlyMap<number, string>,
  path: string,
): Value | undefined {
  const { host } = machine
  switch (path) {
    case 'name':
      return text(machine.name)
    case 'parent':
      return ['ref Folder', 'group-v3']
    case 'runtime.powerState':
      return ['VirtualMachinePowerState', powerOf(machine)]
    case 'runtime.connectionState':
      return ['VirtualMachineConnectionState', 'connected']
    case 'runtime.host':
      return ['ref HostSystem', `host-${host.id}`]
    case 'summary.runtime.bootTime':
      return machine.bootedAt === undefined ? undefined : ['xsd:dateTime', machine.bootedAt]
    case 'config.hardware':
      return ['VirtualHardware', hardwareXml(machine)]
    case 'config.instanceUuid':
      return text(uuidOf(machine.vm))
    case 'config.template':
      return flagged(false)
    case 'config.version':
      return text('vmx-19')
    case 'config.firmware':
      return text('bios')
    case 'config.annotation':
      return text(machine.annotation)
    case 'config.extraConfig':
      return ['ArrayOfOptionValue', [...machine.extra].map(optionXml).join('')]
    case 'guest.net':
      return ['ArrayOfGuestNicInfo', netXml(machine)]
    case 'guest.toolsRunningStatus':
      return text(hasTools(machine) ? 'guestToolsRunning' : 'guestToolsNotRunning')
    case 'customValue':
      return ['ArrayOfCustomFieldValue', [...values].map(fieldXml).join('')]
    case 'snapshot':
      return machine.snapshots.size === 0 ? undefined : ['VirtualMachineSnapshotInfo', snapshotsXml(machine)]
    case 'recentTask':
      return [
        'ArrayOfManagedObjectReference',
        [...machine.tasks].map(id => ref('ManagedObjectReference', 'Task', id)).join(''),
      ]
    default:
      return undefined
  }
}

function optionXml([key, value]: readonly [string, string]): string {
  return el(
    'OptionValue',
    `${el('key', words(key))}${el('value', words(value), 'xsd:string')}`,
    'OptionValue',
  )
}

function fieldXml([key, value]: readonly [number, string]): string {
  return el('CustomFieldValue', `${el('key', key)}${el('value', words(value))}`, 'CustomFieldStringValue')
}

function snapshotsXml(machine: Machine): string {
  const vanished = machine.host.faults.vanishedSnapshot
  const shown = [...machine.snapshots.values()].filter(
    ({ name }) => vanished === undefined || !new RegExp(vanished.name).test(name),
  )
  const tree = (snapshot: Snapshot, name: string): string =>
    el(
      name,
      [
        ref('snapshot', 'VirtualMachineSnapshot', snapshot.id),
        ref('vm', 'VirtualMachine', machine.id),
        el('name', words(snapshot.name)),
        el('description', ''),
        el('id', Number(snapshot.id.replace(/\D/g, ''))),
        el('createTime', snapshot.madeAt),
        el('state', snapshot.wasOn ? 'poweredOn' : 'poweredOff'),
        el('quiesced', false),
        ...shown
          .filter(({ parent }) => parent === snapshot.id)
          .map(child => tree(child, 'childSnapshotList')),
      ].join(''),
    )
  const isRoot = ({ parent }: Snapshot): boolean => !shown.some(({ id }) => id === parent)
  const last = shown.at(-1)
  const current = last === undefined ? '' : ref('currentSnapshot', 'VirtualMachineSnapshot', last.id)
  return (
    current +
    shown
      .filter(isRoot)
      .map(each => tree(each, 'rootSnapshotList'))
      .join('')
  )
}

/** A property of a host; undefined where it is unset. */
export function hostProperty(
  { id, name, persona }: EsxHost,
  values: ReadonlyMap<number, string>,
  path: string,
): Value | undefined {
  const { node, vsphere, cpu } = persona
  const threads = node.cells * node.sockets * node.cores * node.threads
  switch (path) {
    case 'name':
      return text(name)
    case 'parent':
      return ['ref ComputeResource', `domain-s${id}`]
    case 'config.product':
      return [
        'AboutInfo',
        [
          el('name', 'VMware ESXi'),
          el('fullName', `VMware ESXi ${vsphere.version} build-${vsphere.build}`),
          el('vendor', 'VMware, Inc.'),
          el('version', vsphere.version),
          el('build', vsphere.build),
          el('productLineId', 'embeddedEsx'),
          el('apiType', 'HostAgent'),
          el('licenseProductName', 'VMware ESX Server'),
        ].join(''),
      ]
    case 'summary.hardware':
      return [
        'HostHardwareSummary',
        [
          el('vendor', 'VMware, Inc.'),
          el('model', node.model),
          el('memorySize', node.memoryKiB * 1024),
          el('cpuModel', words(cpu.name)),
          el('cpuMhz', node.mhz),
          el('numCpuPkgs', node.sockets),
          el('numCpuCores', node.sockets * node.cores),
          el('numCpuThreads', threads),
        ].join(''),
      ]
    case 'runtime.connectionState':
      return ['HostSystemConnectionState', 'connected']
    case 'runtime.inMaintenanceMode':
      return flagged(false)
    case 'customValue':
      return ['ArrayOfCustomFieldValue', [...values].map(fieldXml).join('')]
    default:
      return undefined
  }
}

/** A property of a task: TaskInfo. */
export function taskProperty(task: Task, path: string): Value | undefined {
  if (path === 'info.state') return ['TaskInfoState', task.state]
  if (path !== 'info') return undefined
  const { id, state, error, result } = task
  const parts = [
    el('key', id),
    ref('task', 'Task', id),
    el('state', state),
    el('cancelled', false),
    el('cancelable', false),
    error === undefined
      ? ''
      : el(
          'error',
          `<fault xsi:type="${error.type}">${error.detail}</fault>${el('localizedMessage', words(error.message))}`,
        ),
    result ?? '',
    state === 'running' ? el('progress', 50) : '',
  ]
  return ['TaskInfo', parts.join('')]
}

/** A property of what an inventory is made of. */
export function placeProperty(type: string, self: string, path: string): Value | undefined {
  switch (`${type} ${path}`) {
    case 'Datacenter name':
      return text('Lab')
    case 'Datacenter parent':
      return ['ref Folder', 'group-d1']
    case 'Folder name':
      return text(self === 'group-v3' ? 'vm' : self === 'group-h4' ? 'host' : 'Datacenters')
    case 'Folder parent':
      return self === 'group-d1' ? undefined : ['ref Datacenter', 'datacenter-2']
    case 'ComputeResource resourcePool':
      return ['ref ResourcePool', self.replace('domain-s', 'resgroup-')]
    case 'Datastore name':
      return text(datastore)
    default:
      return undefined
  }
}
