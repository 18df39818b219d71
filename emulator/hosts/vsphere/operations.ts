import { setTimeout as wait } from 'node:timers/promises'
import { SystemError } from '../../files/errno.js'
import { type FileTree, kernelViewer } from '../../files/tree.js'
import { copyOfDisk } from '../../guest.js'
import { macOf, nicsOf } from '../domain.js'
import { Trouble } from '../trouble.js'
import { nameOf, xmlOf } from '../vm.js'
import { at, copyXml, elements, make, text, type Xml } from '../xml.js'
import {
  datastore,
  diskXml,
  type EsxHost,
  fileOf,
  fileOfDisk,
  findDisk,
  hasTools,
  imageOf,
  type Machine,
  nicModel,
  powerOf,
  renamed,
  type Snapshot,
  targetOf,
} from './machine.js'
import { el, VimFault } from './message.js'

const powerWords = { poweredOn: 'Powered on', poweredOff: 'Powered off', suspended: 'Suspended' } as const
const diskBytes = 8 * 1024 ** 3
/** As it is defined and as it runs. */
const everywhere = (machine: Machine) => ({
  live: machine.vm.running !== undefined,
  config: machine.vm.persistent !== undefined,
})

/** Throws InvalidPowerState unless a machine is in one of the states. */
export function demandPower(
  machine: Machine,
  wanted: ReturnType<typeof powerOf>,
  ...states: readonly string[]
): void {
  const now = powerOf(machine)
  if (!states.includes(now)) {
    const detail = `${el('requestedState', wanted)}${el('existingState', now)}`
    const message = `The attempted operation cannot be performed in the current state (${powerWords[now]}).`
    throw new VimFault('InvalidPowerState', message, detail)
  }
}

export async function powerOn(machine: Machine): Promise<void> {
  demandPower(machine, 'poweredOn', 'poweredOff', 'suspended')
  const { hypervisor } = machine.host
  if (machine.vm.running) {
    hypervisor.resume(machine.vm)
    return
  }
  await modelled(() => hypervisor.start(machine.vm))
  machine.bootedAt = new Date().toISOString()
}

export async function powerOff(machine: Machine): Promise<void> {
  demandPower(machine, 'poweredOff', 'poweredOn', 'suspended')
  await modelled(() => machine.host.hypervisor.destroy(machine.vm))
  machine.bootedAt = undefined
}

export async function suspend(machine: Machine): Promise<void> {
  demandPower(machine, 'suspended', 'poweredOn')
  machine.host.hypervisor.suspend(machine.vm)
}

export async function reset(machine: Machine): Promise<void> {
  demandPower(machine, 'poweredOn', 'poweredOn')
  await modelled(() => machine.host.hypervisor.reset(machine.vm))
}

export function shutdownGuest(machine: Machine): void {
  demandPower(machine, 'poweredOff', 'poweredOn')
  if (!hasTools(machine)) {
    const message = 'Cannot complete operation because VMware Tools is not running in this virtual machine.'
    throw new VimFault('ToolsUnavailable', message)
  }
  machine.host.hypervisor.shutdown(machine.vm)
}

/** Keeps a machine as it is now; without `memory` it is off when it comes back. */
export async function takeSnapshot(
  machine: Machine,
  id: string,
  name: string,
  memory: boolean,
): Promise<Snapshot> {
  const { hypervisor } = machine.host
  await modelled(async () => hypervisor.snapshot(machine.vm, id, undefined))
  const snapshot: Snapshot = {
    id,
    name,
    madeAt: new Date().toISOString(),
    wasOn: memory && powerOf(machine) !== 'poweredOff',
    parent: [...machine.snapshots.keys()].at(-1),
    annotation: machine.annotation,
    xml: copyXml(xmlOf(machine.vm)),
  }
  machine.snapshots.set(id, snapshot)
  return snapshot
}

export async function revert(machine: Machine, snapshot: Snapshot, suppressPowerOn: boolean): Promise<void> {
  const { hypervisor } = machine.host
  await modelled(() =>
    hypervisor.revert(machine.vm, snapshot.id, suppressPowerOn && snapshot.wasOn ? 'paused' : 'as-it-was'),
  )
  // Without its memory only its disk comes back.
  if (!snapshot.wasOn && machine.vm.running) {
    await modelled(() => hypervisor.destroy(machine.vm))
  }
  if (machine.vm.persistent) machine.vm.persistent = copyXml(snapshot.xml)
  machine.annotation = snapshot.annotation
  machine.bootedAt = machine.vm.running ? (machine.bootedAt ?? new Date().toISOString()) : undefined
}

export function removeSnapshot(machine: Machine, { id }: Snapshot): void {
  machine.host.hypervisor.deleteSnapshot(machine.vm, id)
  machine.snapshots.delete(id)
}

/** Makes a machine of a snapshot of another one, on a host, off. */
export async function clone(
  source: Machine,
  snapshot: Snapshot,
  name: string,
  host: EsxHost,
): Promise<Machine['vm']> {
  const { hypervisor } = host
  const kept = source.host.hypervisor.findSnapshot(source.vm, snapshot.id)
  const content = {
    ...(kept.disk ? { disk: copyOfDisk(kept.disk) } : {}),
    ...(kept.installed ? { installed: kept.installed } : {}),
  }
  return modelled(async () => {
    const { images, tree } = hypervisor
    images.write(tree, fileOf(name, 'sda'), {
      format: 'raw',
      virtualBytes: diskBytes,
      content: images.keep(content),
    })
    return hypervisor.define(renamed(snapshot.xml, name))
  })
}

export async function destroy(machine: Machine): Promise<void> {
  demandPower(machine, 'poweredOff', 'poweredOff')
  const { hypervisor } = machine.host
  const file = imageOf(machine)
  hypervisor.undefine(machine.vm)
  if (file !== undefined) removeFile(hypervisor.tree, file)
}

/** Adds and removes devices as a specification says. */
export async function changeDevices(machine: Machine, spec: Xml): Promise<void> {
  const { hypervisor } = machine.host
  for (const change of elements(spec, 'deviceChange')) {
    const device = at(change, 'device')
    const type = device?.attributes['xsi:type'] ?? ''
    const isDisk = type === 'VirtualDisk'
    if (text(change, 'operation') === 'add') {
      const xml = isDisk ? addedDisk(machine, device) : addedNic(machine, device)
      await modelled(async () => hypervisor.attach(machine.vm, xml, everywhere(machine)))
    } else if (text(change, 'operation') === 'remove') {
      const xml = isDisk ? findDisk(machine, Number(text(device, 'key'))) : findNic(machine, device)
      if (!xml) throw new VimFault('InvalidDeviceSpec', "Invalid configuration for device '0'.")
      const file = isDisk ? fileOfDisk(xml) : undefined
      await letGo(machine, xml)
      if (file !== undefined && text(change, 'fileOperation') === 'destroy') removeFile(hypervisor.tree, file)
    } else {
      throw new VimFault('NotSupported', 'The operation is not supported on the object.')
    }
  }
}

/** How often, and how many times at most, a guest that boots is asked to let go of a device. */
const [askEveryMs, mostAsks] = [50, 400]

/** Takes a device away: the task lasts until the guest has let go of it. */
async function letGo(machine: Machine, device: Xml): Promise<void> {
  const { hypervisor } = machine.host
  const { live, config } = everywhere(machine)
  const isThere = (): boolean =>
    machine.vm.running !== undefined && elements(at(xmlOf(machine.vm), 'devices')).includes(device)
  for (let asks = 0; live && isThere(); asks += 1) {
    if (asks === mostAsks) {
      throw new VimFault(
        'GenericVmConfigFault',
        'The guest operating system did not respond to a hot-remove request.',
      )
    }
    await modelled(async () => hypervisor.detach(machine.vm, device, { live, config: false }))
    if (isThere()) await wait(askEveryMs)
  }
  if (config) await modelled(async () => hypervisor.detach(machine.vm, device, { live: false, config }))
}

function addedDisk(machine: Machine, device: Xml | undefined): Xml {
  const target = targetOf(Number(text(device, 'unitNumber')))
  const file = fileOf(nameOf(machine.vm), target)
  const { images, tree } = machine.host.hypervisor
  images.write(tree, file, {
    format: 'raw',
    virtualBytes: Number(text(device, 'capacityInKB')) * 1024,
    content: images.keep({}),
  })
  return diskXml(file, target, 'pvscsi')
}

function addedNic(machine: Machine, device: Xml | undefined): Xml {
  const like = nicsOf(xmlOf(machine.vm))[0]
  const mac = text(device, 'macAddress') ?? ''
  if (!/^00:50:56:[0-3]/.test(mac)) {
    throw new VimFault(
      'InvalidDeviceSpec',
      `The MAC address '${mac}' is not in the range of manual addresses.`,
    )
  }
  return make('interface', { type: 'network' }, [
    make('mac', { address: mac }),
    make('source', { network: 'VM Network' }),
    make('model', { type: like === undefined ? 'vmxnet3' : nicModel(like) }),
  ])
}

function findNic(machine: Machine, device: Xml | undefined): Xml | undefined {
  return nicsOf(xmlOf(machine.vm)).find(nic => macOf(nic) === text(device, 'macAddress'))
}

/** Moves a machine that runs to another host; its disks stay in the datastore that both see. */
export async function relocate(machine: Machine, host: EsxHost): Promise<void> {
  if (host === machine.host) return
  demandPower(machine, 'poweredOn', 'poweredOn', 'suspended')
  const how = { persistent: true, undefineSource: true, copyStorage: false, unsafe: false }
  const name = nameOf(machine.vm)
  await modelled(() => machine.host.hypervisor.migrate(machine.vm, host.hypervisor, how))
  machine.host = host
  machine.vm = host.hypervisor.find(name)
}

function removeFile(tree: FileTree, path: string): void {
  const found = tree.find(path, kernelViewer)
  if (found.node) tree.remove(found, kernelViewer, path)
}

/** Does something with the model, and says its trouble as a vCenter does. */
async function modelled<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOSPC') {
      throw new VimFault('NoDiskSpace', `Insufficient disk space on datastore '${datastore}'.`)
    }
    if (error instanceof Trouble && error.kind === 'internal') {
      const message = 'The host does not have sufficient memory resources to satisfy the reservation.'
      throw new VimFault('InsufficientMemoryResourcesFault', message)
    }
    if (error instanceof Trouble || error instanceof SystemError) {
      throw new VimFault('SystemError', `A general system error occurred: ${error.message}`)
    }
    throw error
  }
}
