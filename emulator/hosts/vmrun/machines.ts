import { posix } from 'node:path'
import { fromText } from '../../files/bytes.js'
import { kernelViewer } from '../../files/tree.js'
import type { ManagedHostPersona } from '../../persona/schema.js'
import { domainOf, readSettings, type Settings } from '../esxi/vmx.js'
import type { HostFaults } from '../faults.js'
import type { Hypervisor } from '../hypervisor.js'
import type { Vm } from '../vm.js'

export type VmrunPersona = ManagedHostPersona & { readonly vmrun: NonNullable<ManagedHostPersona['vmrun']> }

/** What vmrun says of what it cannot do, behind `Error: `. */
export class Refusal extends Error {}

/** A machine that vmrun has been told of. There is no register: its configuration is the machine. */
export interface Machine {
  readonly path: string
  readonly vm: Vm
  /** In the order in which they were taken. */
  readonly snapshots: string[]
}

/** The machines of an emulated host with VMware Workstation: those of the model, by their configurations. */
export class Machines {
  readonly hypervisor: Hypervisor
  readonly persona: VmrunPersona
  readonly faults: HostFaults
  readonly #known = new Map<string, Machine>()
  /** How many looks for a guest's address there were. */
  addressLooks = 0

  constructor(hypervisor: Hypervisor, persona: VmrunPersona, faults: HostFaults) {
    this.hypervisor = hypervisor
    this.persona = persona
    this.faults = faults
  }

  /** The machines that run, also those that are paused; a suspended one does not. */
  get running(): Machine[] {
    return [...this.#known.values()].filter(machine => this.isOn(machine))
  }

  isOn({ vm, path }: Machine): boolean {
    return vm.running !== undefined && !this.isSuspended({ path })
  }

  isSuspended({ path }: Pick<Machine, 'path'>): boolean {
    return this.hypervisor.tree.lookup(fromText(stateFile(path))) !== undefined
  }

  settings(path: string): Settings {
    return readSettings(this.hypervisor.tree, path)
  }

  /** Throws Refusal, in the words of logs. */
  find(path: string | undefined): Machine {
    const { tree } = this.hypervisor
    if (path === undefined || tree.lookup(fromText(path))?.type !== 'file') {
      throw new Refusal(`Cannot open VM: ${path ?? ''}, The virtual machine cannot be found`)
    }
    const known = this.#known.get(path)
    if (known) return known
    const vm = this.hypervisor.define(domainOf(this.settings(path), path))
    const machine: Machine = { path, vm, snapshots: [] }
    this.#known.set(path, machine)
    return machine
  }

  forget(machine: Machine): void {
    this.#known.delete(machine.path)
    this.hypervisor.undefine(machine.vm)
  }

  /** Whether VMware Tools run in its guest: with the guest, from the end of its boot on. */
  hasTools({ vm }: Machine): boolean {
    return vm.running?.guest?.state === 'running' && vm.state === 'running'
  }

  markSuspended({ path }: Machine): void {
    this.hypervisor.tree.install(fromText(stateFile(path)), '')
  }

  markAwake({ path }: Machine): void {
    this.removeFile(stateFile(path))
  }

  removeFile(path: string): void {
    const { tree } = this.hypervisor
    const bytes = fromText(path)
    if (tree.lookup(bytes)) tree.remove(tree.find(bytes, kernelViewer), kernelViewer, bytes)
  }
}

/** The file that a suspended machine has. */
function stateFile(path: string): string {
  return posix.join(posix.dirname(path), `${posix.basename(path, '.vmx')}.vmss`)
}
