import { posix } from 'node:path'
import { fromText, toText } from '../../files/bytes.js'
import { absolute, kernelViewer } from '../../files/tree.js'
import { writeTo } from '../../programs/io.js'
import type { Call, Program } from '../../system/programs.js'
import { dumpText, VimFault } from './dump.js'
import type { Inventory, Machine } from './inventory.js'
import { guestText, hostText, listText, summaryText, tasksText, taskText } from './objects.js'
import { askAboutSpace, powerOff, powerOn, reset, shutdownGuest, suspend } from './power.js'
import { findSnapshot, noSpace, remove, revert, snapshotsOf, takeSnapshot, treeText } from './snapshots.js'

/** What a verb is given: its words after the machine's id. */
type Verb = (inventory: Inventory, words: readonly string[], call: Call) => Promise<string> | string

/** A verb that asks about a machine. */
function asks(answer: (inventory: Inventory, machine: Machine) => string): Verb {
  return (inventory, [id]) => answer(inventory, inventory.find(id))
}

/** A verb that does something in a task: its caption is printed first, whatever becomes of it. */
function task(
  method: string,
  caption: string,
  work: (inventory: Inventory, machine: Machine, words: readonly string[], call: Call) => Promise<string>,
): Verb {
  return async (inventory, [id, ...words], call) => {
    const machine = inventory.find(id)
    const { lateFailure } = inventory.faults
    const verb = toText(call.args[0] ?? '')
    if (lateFailure && new RegExp(lateFailure.command).test(verb)) {
      inventory.begun(machine, method, 'A general system error occurred: the operation failed at its end')
      return caption
    }
    try {
      const more = await work(inventory, machine, words, call)
      inventory.begun(machine, method)
      return `${caption}${more}`
    } catch (error) {
      if (!(error instanceof VimFault)) throw error
      throw new Refusal(caption, error)
    }
  }
}

/** A fault that comes after a caption. */
class Refusal extends Error {
  readonly caption: string
  readonly fault: VimFault

  constructor(caption: string, fault: VimFault) {
    super(fault.message)
    this.caption = caption
    this.fault = fault
  }
}

function power(
  method: string,
  caption: string,
  work: (inventory: Inventory, machine: Machine) => Promise<void>,
): Verb {
  return task(method, `${caption}\n`, async (inventory, machine) => {
    await work(inventory, machine)
    return ''
  })
}

const create = task(
  'VirtualMachine.createSnapshot',
  'Create Snapshot:\n',
  async (inventory, machine, words, call) => {
    const [name, description = '', memory = '', quiesce = ''] = words
    // Only words that are 0, 1, true or false say anything: whatever else is given is taken as a text.
    if (name === undefined || [memory, quiesce].some(word => !/^(?:0|1|true|false|)$/.test(word)))
      throw usage(call)
    if (inventory.faults.noSpace) throw noSpace()
    const isWithMemory = memory === '1' || memory === 'true'
    if (isWithMemory) await inventory.hypervisor.halt(machine.vm, ms => call.process.sleep(ms))
    takeSnapshot(inventory, machine, { name, description, isWithMemory })
    return ''
  },
)

const goBack = task('vm.Snapshot.revert', 'Revert Snapshot:\n', async (inventory, machine, words, call) => {
  const [id, suppress] = words
  if (suppress !== '0' && suppress !== '1') throw usage(call)
  await revert(inventory, machine, findSnapshot(inventory, machine, id), suppress === '1')
  return treeText(snapshotsOf(inventory, machine))
})

const forget = task('vm.Snapshot.remove', 'Remove Snapshot:\n', async (inventory, machine, [id]) => {
  remove(inventory, machine, findSnapshot(inventory, machine, id))
  return treeText(snapshotsOf(inventory, machine))
})

const register: Verb = (inventory, [path], call) => {
  if (path === undefined) throw usage(call)
  const { tree } = inventory.hypervisor
  const found = tree.find(fromText(absolute(call.process.cwd, path)), kernelViewer)
  if (found.node?.type !== 'file') {
    throw new VimFault('vim.fault.NotFound', 'The object or item referred to could not be found.')
  }
  return `${inventory.register(posix.normalize(toText(found.path))).id}\n`
}

const unregister: Verb = (inventory, [id]) => {
  const machine = inventory.find(id)
  if (inventory.powerOf(machine) !== 'poweredOff') {
    const existingState = inventory.powerOf(machine)
    const message = 'The attempted operation cannot be performed in the current state (Powered On).'
    throw new VimFault('vim.fault.InvalidPowerState', message, {
      requestedState: 'poweredOff',
      existingState,
    })
  }
  inventory.unregister(machine)
  return ''
}

const message: Verb = (inventory, [id, question, choice]) => {
  const machine = inventory.find(id)
  askAboutSpace(inventory, machine)
  const pending = machine.question
  if (!pending) return 'No message.\n'
  if (question === String(pending.id) && choice !== undefined) {
    pending.answer()
    return ''
  }
  return `Virtual machine message ${pending.id}:\n${pending.text}\n`
}

const states = { poweredOn: 'Powered on', poweredOff: 'Powered off', suspended: 'Suspended' } as const

const verbs: Readonly<Record<string, Verb>> = {
  'vmsvc/getallvms': listText,
  'vmsvc/get.summary': asks(summaryText),
  'vmsvc/get.guest': asks(guestText),
  'vmsvc/get.tasklist': asks(tasksText),
  'vmsvc/power.getstate': asks(
    (inventory, machine) => `Retrieved runtime info\n${states[inventory.powerOf(machine)]}\n`,
  ),
  'vmsvc/snapshot.get': asks(
    (inventory, machine) => `Get Snapshot:\n${treeText(snapshotsOf(inventory, machine))}`,
  ),
  'vmsvc/message': message,
  'vmsvc/power.on': power('VirtualMachine.powerOn', 'Powering on VM:', powerOn),
  'vmsvc/power.off': power('VirtualMachine.powerOff', 'Powering off VM:', powerOff),
  'vmsvc/power.reset': power('VirtualMachine.reset', 'Reset VM:', reset),
  'vmsvc/power.suspend': power('VirtualMachine.suspend', 'Suspending VM:', suspend),
  'vmsvc/power.shutdown': (inventory, [id]) => {
    shutdownGuest(inventory, inventory.find(id))
    return ''
  },
  'vmsvc/snapshot.create': create,
  'vmsvc/snapshot.revert': goBack,
  'vmsvc/snapshot.remove': forget,
  'vmsvc/unregister': unregister,
  'solo/registervm': register,
  'vimsvc/task_info': (inventory, [id]) => taskText(inventory, inventory.task(id)),
  'hostsvc/hostsummary': hostText,
}

/** What a verb that fails says in a line of its own, from 6.0 on (VCL). */
const failures: Readonly<Record<string, string>> = {
  'vmsvc/power.on': 'Power on failed',
  'vmsvc/power.off': 'Power off failed',
  'vmsvc/power.suspend': 'Suspend failed',
}

/** vim-cmd. What it does not play it does not know. */
export function vimCmdProgram(inventory: Inventory): Program {
  const { faults } = inventory
  const { version } = inventory.persona.esxi
  return async call => {
    const [verb = '', ...words] = call.args.map(toText)
    const say = (text: string): Promise<void> => writeTo(call.process, 1, fromText(text))
    if (faults.slow) await call.process.sleep(faults.slow.ms)
    inventory.calls += 1
    if (faults.sessionEnds && inventory.calls % faults.sessionEnds.calls === 0) {
      await say('Failed to login: Connection reset by peer\n')
      return 1
    }
    const command = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
    try {
      if (!command) {
        await say(`Invalid command '${verb}'.\n`)
        return 1
      }
      await say(await command(inventory, words, call))
      return 0
    } catch (error) {
      const [caption, fault] = error instanceof Refusal ? [error.caption, error.fault] : ['', error]
      if (!(fault instanceof VimFault)) throw error
      const line = Number.parseFloat(version) >= 6 ? failures[verb] : undefined
      if (line !== undefined) {
        await say(`${caption}${line}\n`)
        return 1
      }
      // Many faults leave an exit status of 0: which, depends on verb and version, and is not known.
      await say(`${caption}${dumpText(fault.record(), inventory.isOld)}\n`)
      return 0
    }
  }
}

/** A verb that is given too little: its words are assumed, that it fails is not. */
function usage(call: Call): VimFault {
  return new VimFault('vmodl.fault.InvalidArgument', `Insufficient arguments: ${toText(call.args[0] ?? '')}`)
}
