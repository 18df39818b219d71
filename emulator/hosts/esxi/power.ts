import { SystemError } from '../../files/errno.js'
import { Trouble } from '../trouble.js'
import { VimFault } from './dump.js'
import type { Inventory, Machine } from './inventory.js'
import { domainOf } from './vmx.js'

const words = { poweredOn: 'Powered on', poweredOff: 'Powered off', suspended: 'Suspended' } as const

/** Throws InvalidPowerState unless a machine is in one of the states. */
export function demandPower(
  inventory: Inventory,
  machine: Machine,
  requestedState: keyof typeof words,
  states: readonly string[],
): void {
  const existingState = inventory.powerOf(machine)
  if (!states.includes(existingState)) {
    // The words of a log of ESX 4 (VCL).
    const state = words[existingState].replace('on', 'On').replace('off', 'Off')
    throw new VimFault(
      'vim.fault.InvalidPowerState',
      `The attempted operation cannot be performed in the current state (${state}).`,
      { requestedState, existingState },
    )
  }
}

export async function powerOn(inventory: Inventory, machine: Machine): Promise<void> {
  demandPower(inventory, machine, 'poweredOn', ['poweredOff', 'suspended'])
  const { hypervisor } = inventory
  machine.bootedAt ??= new Date()
  if (machine.vm.running) {
    hypervisor.resume(machine.vm)
    return
  }
  const settings = inventory.settings(machine)
  if (isAltered(inventory, machine)) await asked(inventory, machine)
  // What stands in its configuration counts from its start on.
  hypervisor.define(domainOf(settings, machine.path))
  await modelled(() => hypervisor.start(machine.vm))
  machine.bootedAt = new Date()
}

/**
 * A machine whose files were moved or copied asks whether they were, unless its configuration says what it is to do
 * (https://knowledge.broadcom.com/external/article?legacyId=1541).
 */
function isAltered(inventory: Inventory, machine: Machine): boolean {
  const settings = inventory.settings(machine)
  const isForeign = settings.get('uuid.location') === 'elsewhere'
  return isForeign && !settings.has('uuid.action') && !settings.has('answer.msg.uuid.altered')
}

async function asked(inventory: Inventory, machine: Machine): Promise<void> {
  const text =
    'msg.uuid.altered:This virtual machine might have been moved or copied.\n\n   0. Cancel\n   1. I moved it\n   2. I copied it [default]'
  await ask(inventory, machine, text)
}

/** A machine that runs, on a datastore that is full: it stands still until somebody says what to do. */
export function askAboutSpace(inventory: Inventory, machine: Machine): void {
  const { looks } = inventory.faults.fillsUp ?? {}
  inventory.questionLooks += 1
  if (looks === undefined || inventory.questionLooks < looks || machine.question) return
  if (inventory.powerOf(machine) !== 'poweredOn') return
  const { name } = inventory.datastore
  const text = `msg.hbacommon.outofspace:There is no more space for virtual disk ${inventory.nameOf(machine)}.vmdk on ${name}.\n\n   0. Retry [default]\n   1. Cancel`
  void ask(inventory, machine, text)
}

async function ask(inventory: Inventory, machine: Machine, text: string): Promise<void> {
  let answer = (): void => {}
  const answered = new Promise<void>(resolve => {
    answer = resolve
  })
  machine.question = { id: inventory.nextNumber(), text, answered, answer }
  await answered
  machine.question = undefined
}

export async function powerOff(inventory: Inventory, machine: Machine): Promise<void> {
  demandPower(inventory, machine, 'poweredOff', ['poweredOn', 'suspended'])
  await modelled(() => inventory.hypervisor.destroy(machine.vm))
  machine.question?.answer()
  machine.bootedAt = undefined
  machine.world = undefined
}

export async function suspend(inventory: Inventory, machine: Machine): Promise<void> {
  demandPower(inventory, machine, 'suspended', ['poweredOn'])
  inventory.hypervisor.suspend(machine.vm)
}

export async function reset(inventory: Inventory, machine: Machine): Promise<void> {
  demandPower(inventory, machine, 'poweredOn', ['poweredOn'])
  await modelled(() => inventory.hypervisor.reset(machine.vm))
}

export function shutdownGuest(inventory: Inventory, machine: Machine): void {
  demandPower(inventory, machine, 'poweredOff', ['poweredOn'])
  if (!inventory.hasTools(machine)) {
    // The fault's name is that of other fakes: that it fails is known (index file 16921877533), and how is not.
    const message = 'Cannot complete operation because VMware Tools is not running in this virtual machine.'
    throw new VimFault('vim.fault.ToolsUnavailable', message)
  }
  inventory.hypervisor.shutdown(machine.vm)
}

/** Does something with the model, and says its trouble as hostd does. */
async function modelled(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof Trouble && error.kind === 'internal') {
      const message = 'The host does not have sufficient memory resources to satisfy the reservation.'
      throw new VimFault('vim.fault.InsufficientMemoryResourcesFault', message)
    }
    if (error instanceof Trouble || error instanceof SystemError) {
      throw new VimFault('vmodl.fault.SystemError', `A general system error occurred: ${error.message}`)
    }
    throw error
  }
}
