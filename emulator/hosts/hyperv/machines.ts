import { HostRefusal } from '../../windows/powershell/host-texts.js'
import type { HostFaults } from '../faults.js'
import type { Hypervisor } from '../hypervisor.js'
import { uuidOf, type Vm } from '../vm.js'
import { type Kept, type MachineRequest, machineXml, stateOf } from './machine.js'

/** The machines of a Hyper-V host, by their identifiers, with what Hyper-V alone keeps of them. */
export class Machines {
  readonly #hypervisor: Hypervisor
  readonly #faults: HostFaults
  readonly #kept = new Map<string, Kept>()

  constructor(hypervisor: Hypervisor, faults: HostFaults) {
    this.#hypervisor = hypervisor
    this.#faults = faults
  }

  list(): readonly Vm[] {
    return this.#hypervisor.list()
  }

  define(request: MachineRequest, notes: string, secureBoot: Kept['secureBoot']): Vm {
    const vm = this.#hypervisor.define(machineXml(request))
    this.#kept.set(uuidOf(vm), {
      notes,
      secureBoot,
      checkpoints: new Map(),
      isSaved: false,
      merging: 0,
      silent: this.#faults.lateAddresses?.looks ?? 0,
      switchOf: new Map(),
    })
    return vm
  }

  kept(vm: Vm): Kept {
    const kept = this.#kept.get(uuidOf(vm))
    if (kept === undefined) throw new Error('a machine that Hyper-V never made')
    return kept
  }

  forget(vm: Vm): void {
    this.#kept.delete(uuidOf(vm))
    this.#hypervisor.undefine(vm)
  }

  /** By its identifier, as `Get-VM -Id` has it. Throws HostRefusal (idx:71172685217 has its words for a name). */
  find(id: string | undefined): Vm {
    const vm = this.list().find(one => uuidOf(one) === id)
    if (vm === undefined) {
      throw new HostRefusal(
        'InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM',
        '80131500',
        `Hyper-V was unable to find a virtual machine with id "${id}".`,
      )
    }
    return vm
  }

  state(vm: Vm): string {
    return stateOf(vm, this.kept(vm))
  }

  /** Throws unless the machine is in one of the states. */
  demand(vm: Vm, ...states: readonly string[]): void {
    if (!states.includes(this.state(vm))) {
      throw new HostRefusal(
        'InvalidState,Microsoft.HyperV.PowerShell.Commands',
        '80131500',
        'The operation cannot be performed while the object is in its current state.',
      )
    }
  }
}
