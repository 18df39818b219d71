import { posix } from 'node:path'
import type { ManagedHostPersona } from '../../persona/schema.js'
import type { HostFaults } from '../faults.js'
import type { Hypervisor } from '../hypervisor.js'
import type { Vm } from '../vm.js'
import { VimFault } from './dump.js'
import { domainOf, readSettings, type Settings } from './vmx.js'

export type EsxiPersona = ManagedHostPersona & { readonly esxi: NonNullable<ManagedHostPersona['esxi']> }

/** A snapshot as hostd knows it; the model keeps disk and memory under its id. */
export interface Snapshot {
  readonly id: number
  readonly name: string
  readonly description: string
  readonly parent: number | undefined
  readonly madeAt: Date
  /** As the tree says it: the state that it brings back. */
  readonly state: 'powered on' | 'powered off'
}

/** A question that a machine asks before it goes on. */
export interface Question {
  readonly id: number
  readonly text: string
  readonly answered: Promise<void>
  answer(): void
}

/** A task, as `vimsvc/task_info` tells of it. */
export interface Task {
  readonly id: string
  /** How often it is still seen running. */
  looks: number
  readonly error: string | undefined
}

/** A registered machine. */
export interface Machine {
  /** Another one after each registration. */
  readonly id: number
  /** Its configuration, without links. */
  readonly path: string
  vm: Vm
  /** The number of what runs it, another one after each start. */
  world: number | undefined
  bootedAt: Date | undefined
  readonly snapshots: Snapshot[]
  current: number | undefined
  readonly tasks: Task[]
  question: Question | undefined
}

/** What hostd of an emulated ESXi host knows: its machines are those of the model. */
export class Inventory {
  readonly hypervisor: Hypervisor
  readonly persona: EsxiPersona
  readonly faults: HostFaults
  readonly machines: Machine[] = []
  /** How many looks for a guest's addresses there were. */
  addressLooks = 0
  /** How many looks for questions there were. */
  questionLooks = 0
  calls = 0
  #next = 1
  #number = 2000

  constructor(hypervisor: Hypervisor, persona: EsxiPersona, faults: HostFaults) {
    this.hypervisor = hypervisor
    this.persona = persona
    this.faults = faults
  }

  get isOld(): boolean {
    return Number.parseFloat(this.persona.esxi.version) <= 6
  }

  get datastore(): { readonly name: string; readonly uuid: string; readonly folder: string } {
    const { name, uuid } = this.persona.esxi.datastore
    return { name, uuid, folder: `/vmfs/volumes/${uuid}` }
  }

  nextNumber(): number {
    this.#number += 1
    return this.#number
  }

  settings({ path }: Pick<Machine, 'path'>): Settings {
    return readSettings(this.hypervisor.tree, path)
  }

  nameOf(machine: Machine): string {
    return this.settings(machine).get('displayname') ?? posix.basename(machine.path, '.vmx')
  }

  /** `[datastore] folder/file.vmx` */
  fileOf({ path }: Pick<Machine, 'path'>): string {
    const { name, folder } = this.datastore
    return `[${name}] ${path.slice(folder.length + 1)}`
  }

  /** Makes a machine of its configuration known. Throws VimFault. */
  register(path: string): Machine {
    const known = this.machines.find(machine => machine.path === path)
    if (known) {
      throw new VimFault(
        'vim.fault.AlreadyExists',
        'The specified key, name, or identifier already exists.',
        {
          name: String(known.id),
        },
      )
    }
    const vm = this.hypervisor.define(domainOf(this.settings({ path }), path))
    const machine: Machine = {
      id: this.#next++,
      path,
      vm,
      world: undefined,
      bootedAt: undefined,
      snapshots: [],
      current: undefined,
      tasks: [],
      question: undefined,
    }
    this.machines.push(machine)
    return machine
  }

  unregister(machine: Machine): void {
    this.machines.splice(this.machines.indexOf(machine), 1)
    this.hypervisor.undefine(machine.vm)
  }

  /** Throws VimFault, in the words of a log of ESXi 8 (JKL). */
  find(word: string | undefined): Machine {
    const found = this.machines.find(({ id }) => String(id) === word)
    if (!found)
      throw new VimFault('vim.fault.NotFound', `Unable to find a VM corresponding to "${word ?? ''}"`)
    return found
  }

  powerOf({ vm }: Machine): 'poweredOn' | 'poweredOff' | 'suspended' {
    return vm.running === undefined ? 'poweredOff' : vm.state === 'paused' ? 'suspended' : 'poweredOn'
  }

  /** Whether VMware Tools run in its guest: with the guest, from the end of its boot on. */
  hasTools({ vm }: Machine): boolean {
    return vm.running?.guest?.state === 'running' && vm.state === 'running'
  }

  /** The world that runs a machine, if it does. */
  worldOf(machine: Machine): number | undefined {
    if (this.powerOf(machine) !== 'poweredOn') {
      machine.world = undefined
      return undefined
    }
    machine.world ??= 2_099_000 + this.nextNumber()
    return machine.world
  }

  begun(machine: Machine, method: string, error?: string): Task {
    const task = {
      id: `haTask-${machine.id}-vim.${method}-${this.nextNumber()}`,
      looks: error === undefined ? 0 : 2,
      error,
    }
    machine.tasks.push(task)
    return task
  }

  task(id: string | undefined): Task {
    const found = this.machines.flatMap(({ tasks }) => tasks).find(task => task.id === id)
    if (!found) {
      const message = 'The object has already been deleted or has not been completely created'
      throw new VimFault('vmodl.fault.ManagedObjectNotFound', message)
    }
    return found
  }
}
