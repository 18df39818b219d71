import { posix } from 'node:path'
import { fromText } from '../../files/bytes.js'
import { SystemError } from '../../files/errno.js'
import { writeDisk } from '../esxi/place.js'
import { domainOf } from '../esxi/vmx.js'
import { neighbours } from '../network.js'
import { Trouble } from '../trouble.js'
import { nameOf } from '../vm.js'
import { type Machine, type Machines, Refusal } from './machines.js'

/** What a verb does with a machine: what it prints. */
export type Verb = (
  machines: Machines,
  machine: Machine,
  words: readonly string[],
) => Promise<string> | string

/** The texts of logs (index files 20119502104 and 69189811153) and of Packer's plugin for VMware. */
function demandOn(machines: Machines, machine: Machine): void {
  if (!machines.isOn(machine)) throw new Refusal(`The virtual machine is not powered on: ${machine.path}`)
}

const start: Verb = async (machines, machine, [how]) => {
  const { hypervisor } = machines
  // Without a display there is no window to open.
  if (how !== 'nogui') throw new Refusal('Cannot open the display')
  if (machines.isOn(machine)) return ''
  if (machine.vm.running) {
    hypervisor.resume(machine.vm)
  } else {
    hypervisor.define(domainOf(machines.settings(machine.path), machine.path))
    await hypervisor.start(machine.vm)
  }
  machines.markAwake(machine)
  return ''
}

const stop: Verb = async (machines, machine, [how]) => {
  demandOn(machines, machine)
  if (how === 'hard') {
    await machines.hypervisor.destroy(machine.vm)
  } else if (machines.hasTools(machine)) {
    machines.hypervisor.shutdown(machine.vm)
  } else {
    throw new Refusal(`The VMware Tools are not running in the virtual machine: ${machine.path}`)
  }
  return ''
}

const reset: Verb = async (machines, machine, [how]) => {
  demandOn(machines, machine)
  if (how !== 'hard') throw invalid()
  await machines.hypervisor.reset(machine.vm)
  return ''
}

const suspend: Verb = (machines, machine, [how]) => {
  demandOn(machines, machine)
  if (how !== 'hard') throw invalid()
  machines.hypervisor.suspend(machine.vm)
  machines.markSuspended(machine)
  return ''
}

const snapshot: Verb = (machines, machine, [name]) => {
  if (name === undefined || name.includes('/') || machine.snapshots.includes(name)) throw invalid()
  machines.hypervisor.snapshot(machine.vm, name, undefined)
  machine.snapshots.push(name)
  return ''
}

const revert: Verb = async (machines, machine, [name]) => {
  const { hypervisor } = machines
  await hypervisor.revert(machine.vm, known(machines, machine, name), 'as-it-was')
  // It is off or suspended until it is started (index file 59110973197).
  machines.markAwake(machine)
  if (machine.vm.running) {
    if (machine.vm.state !== 'paused') hypervisor.suspend(machine.vm)
    machines.markSuspended(machine)
  }
  return ''
}

const deleteSnapshot: Verb = (machines, machine, [name]) => {
  const found = known(machines, machine, name)
  machines.hypervisor.deleteSnapshot(machine.vm, found)
  machine.snapshots.splice(machine.snapshots.indexOf(found), 1)
  return ''
}

const clone: Verb = (machines, machine, [target, how, ...options]) => {
  const option = (name: string): string | undefined =>
    options.find(word => word.startsWith(`-${name}=`))?.slice(name.length + 2)
  const { tree, images } = machines.hypervisor
  const name = option('snapshot')
  if (
    target === undefined ||
    (how !== 'full' && how !== 'linked') ||
    (how === 'linked' && name === undefined)
  )
    throw invalid()
  if (machine.vm.running) throw new Refusal('The virtual machine should be powered off')
  const { disk, installed } = machine.vm.snapshots.get(known(machines, machine, name)) ?? {}
  const own = posix.basename(target, '.vmx')
  if (machines.faults.noSpace)
    throw new Refusal('There is not enough space in the file system for this operation')
  writeDisk(machines, posix.join(posix.dirname(target), `${own}.vmdk`), {
    bytes: 8 * 1024 ** 3,
    content: images.keep({ ...(disk ? { disk } : {}), ...(installed ? { installed } : {}) }),
  })
  const settings = new Map([
    ...machines.settings(machine.path),
    ['displayname', option('cloneName') ?? own],
    ['scsi0:0.filename', `${own}.vmdk`],
    ['ethernet0.addresstype', 'generated'],
  ])
  const text = [...settings].map(([key, value]) => `${key} = "${value}"\n`).join('')
  tree.install(fromText(target), fromText(text))
  machines.find(target)
  return ''
}

const deleteVm: Verb = (machines, machine) => {
  if (machine.vm.running) throw new Refusal('The virtual machine should be powered off')
  machines.forget(machine)
  const base = machine.path.replace(/\.vmx$/, '')
  for (const end of ['.vmx', '.vmdk', '-flat.vmdk']) machines.removeFile(`${base}${end}`)
  return ''
}

const address: Verb = (machines, machine) => {
  demandOn(machines, machine)
  if (!machines.hasTools(machine))
    throw new Refusal(`The VMware Tools are not running in the virtual machine: ${machine.path}`)
  machines.addressLooks += 1
  if (machines.addressLooks <= (machines.faults.lateAddresses?.looks ?? 0)) return 'unknown\n'
  const own = neighbours(machines.hypervisor, machines.persona).find(
    ({ name }) => name === nameOf(machine.vm),
  )
  if (!own) throw new Refusal('Unable to get the IP address')
  return `${own.address}\n`
}

function known({ faults }: Machines, { snapshots }: Machine, name: string | undefined): string {
  const vanished = faults.vanishedSnapshot?.name
  if (name === undefined || !snapshots.includes(name) || (vanished && new RegExp(vanished).test(name)))
    throw new Refusal('The snapshot does not exist')
  return name
}

/** What vmrun says of words that it does not know. */
export function invalid(): Refusal {
  return new Refusal('One of the parameters was invalid')
}

export const verbs: Readonly<Record<string, Verb>> = {
  start,
  stop,
  reset,
  suspend,
  snapshot,
  revertToSnapshot: revert,
  deleteSnapshot,
  listSnapshots: (machines, machine) => {
    const vanished = machines.faults.vanishedSnapshot?.name
    const names = machine.snapshots.filter(name => vanished === undefined || !new RegExp(vanished).test(name))
    return [`Total snapshots: ${names.length}`, ...names, ''].join('\n')
  },
  clone,
  deleteVM: deleteVm,
  getGuestIPAddress: address,
}

/** The trouble of the model as vmrun says it. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error
  if (error instanceof Trouble) return new Refusal(error.message)
  return error instanceof SystemError ? new Refusal(`A file access error occurred: ${error.text}`) : null
}
