import type { Vm } from '../vm.js'
import { at, elements, text, type Xml } from '../xml.js'
import { Attributes } from './attributes.js'
import type { EsxHost, Machine, Snapshot } from './machine.js'
import { type Call, el, flag, ref, textOf, VimFault, words } from './message.js'
import {
  changeDevices,
  clone,
  destroy,
  powerOff,
  powerOn,
  relocate,
  removeSnapshot,
  reset,
  revert,
  shutdownGuest,
  suspend,
  takeSnapshot,
} from './operations.js'
import { hostProperty, machineProperty, placeProperty, taskProperty, valueXml } from './properties.js'
import { runTask, type Task } from './task.js'

/**
 * The objects of an emulated vCenter and what its methods do to them (vSphere Web Services API Reference). What it does
 * not know it refuses, as a server refuses what its version does not have.
 */
export class VCenter {
  readonly hosts: EsxHost[] = []
  readonly machines = new Map<string, Machine>()
  readonly #tasks = new Map<string, Task>()
  readonly #attributes = new Attributes()
  #next = 100

  join(host: Omit<EsxHost, 'id'>): EsxHost {
    const joined = { ...host, id: this.hosts.length + 10 }
    this.hosts.push(joined)
    return joined
  }

  /** Makes a machine of the model known. */
  register(host: EsxHost, name: string, vm: Vm): Machine {
    const machine: Machine = {
      id: `vm-${this.#next++}`,
      vm,
      host,
      name,
      annotation: '',
      extra: new Map(),
      snapshots: new Map(),
      bootedAt: undefined,
      tasks: new Set(),
    }
    this.machines.set(machine.id, machine)
    return machine
  }

  async snapshot(machine: Machine, name: string, memory: boolean): Promise<Snapshot> {
    return takeSnapshot(machine, `snapshot-${this.#next++}`, name, memory)
  }

  /** Answers a call: what is returned, as XML. Throws VimFault. */
  async answer(call: Call): Promise<string> {
    switch (call.method) {
      case 'CurrentTime':
        return el('returnval', new Date().toISOString(), 'xsd:dateTime')
      case 'RetrievePropertiesEx':
        return this.#retrieve(call.args)
      case 'FindByInventoryPath':
        return this.#byPath(text(call.args, 'inventoryPath') ?? '')
      case 'AddCustomFieldDef':
        return this.#attributes.add(this.#next++, call.args)
      case 'RemoveCustomFieldDef':
        return this.#attributes.remove(Number(text(call.args, 'key')))
      case 'SetField':
        return this.#setField(call.args)
      case 'CancelTask':
        throw new VimFault('NotSupported', 'The operation is not supported on the object.')
      case 'DeleteDatastoreFile_Task':
        return this.#task(undefined, async () => undefined)
      default:
        return call.type === 'VirtualMachineSnapshot'
          ? this.#ofSnapshot(call)
          : this.#ofMachine(call, this.#machine(call.self))
    }
  }

  #ofMachine({ method, args }: Call, machine: Machine): string {
    const task = (work: () => Promise<unknown>): string =>
      this.#task(machine, async () => {
        this.#demandNoFault(machine, method)
        const result = await work()
        return typeof result === 'string' ? result : undefined
      })
    switch (method) {
      case 'PowerOnVM_Task':
        return task(() => powerOn(machine))
      case 'PowerOffVM_Task':
        return task(() => powerOff(machine))
      case 'SuspendVM_Task':
        return task(() => suspend(machine))
      case 'ResetVM_Task':
        return task(() => reset(machine))
      case 'ShutdownGuest':
        shutdownGuest(machine)
        return ''
      case 'SendNMI':
        machine.host.hypervisor.nmi(machine.vm)
        return ''
      case 'CreateScreenshot_Task':
        return task(async () =>
          el('result', `[shared] ${words(machine.name)}/${machine.id}.png`, 'xsd:string'),
        )
      case 'CreateSnapshot_Task':
        return task(async () => {
          const made = await this.snapshot(machine, text(args, 'name') ?? '', flag(args, 'memory'))
          return `<result type="VirtualMachineSnapshot" xsi:type="ManagedObjectReference">${made.id}</result>`
        })
      case 'CloneVM_Task':
        return task(() => this.#clone(machine, args))
      case 'ReconfigVM_Task':
        return task(() => this.#reconfigure(machine, at(args, 'spec')))
      case 'RelocateVM_Task':
        return task(() => relocate(machine, this.#host(text(args, 'spec', 'host') ?? '')))
      case 'Destroy_Task':
        return task(async () => {
          await destroy(machine)
          this.machines.delete(machine.id)
        })
      default:
        throw unknownMethod(method)
    }
  }

  #ofSnapshot({ method, self, args }: Call): string {
    const machine = [...this.machines.values()].find(({ snapshots }) => snapshots.has(self))
    const snapshot = machine?.snapshots.get(self)
    if (!machine || !snapshot) throw notFound('VirtualMachineSnapshot', self)
    switch (method) {
      case 'RevertToSnapshot_Task':
        return this.#task(machine, async () => {
          this.#demandNoFault(machine, method)
          await revert(machine, snapshot, flag(args, 'suppressPowerOn'))
          return undefined
        })
      case 'RemoveSnapshot_Task':
        return this.#task(machine, async () => {
          removeSnapshot(machine, snapshot)
          return undefined
        })
      default:
        throw unknownMethod(method)
    }
  }

  #task(machine: Machine | undefined, work: () => Promise<string | undefined>): string {
    const id = `task-${this.#next++}`
    machine?.tasks.add(id)
    this.#tasks.set(
      id,
      runTask(id, work, () => machine?.tasks.delete(id)),
    )
    return ref('returnval', 'Task', id)
  }

  /** Fails late what the host was told to fail. */
  #demandNoFault({ host }: Machine, method: string): void {
    const { lateFailure } = host.faults
    if (lateFailure && new RegExp(lateFailure.command).test(method)) {
      throw new VimFault('SystemError', 'A general system error occurred: the operation failed at its end')
    }
  }

  async #clone(source: Machine, args: Xml): Promise<string> {
    const name = text(args, 'name') ?? ''
    if ([...this.machines.values()].some(machine => machine.name === name)) {
      throw new VimFault('DuplicateName', `The name '${name}' already exists.`, el('name', words(name)))
    }
    const snapshot = source.snapshots.get(text(args, 'spec', 'snapshot') ?? '')
    if (!snapshot) throw notFound('VirtualMachineSnapshot', text(args, 'spec', 'snapshot') ?? '')
    const host = this.#host(text(args, 'spec', 'location', 'host') ?? '')
    const machine = this.register(host, name, await clone(source, snapshot, name, host))
    await this.#reconfigure(machine, at(args, 'spec', 'config'))
    return `<result type="VirtualMachine" xsi:type="ManagedObjectReference">${machine.id}</result>`
  }

  async #reconfigure(machine: Machine, spec: Xml | undefined): Promise<void> {
    if (!spec) return
    machine.annotation = text(spec, 'annotation') ?? machine.annotation
    for (const option of elements(spec, 'extraConfig')) {
      machine.extra.set(text(option, 'key') ?? '', text(option, 'value') ?? '')
    }
    await changeDevices(machine, spec)
  }

  #machine(id: string): Machine {
    const machine = this.machines.get(id)
    if (!machine) throw notFound('VirtualMachine', id)
    return machine
  }

  #host(id: string): EsxHost {
    const host = this.hosts.find(each => `host-${each.id}` === id)
    if (!host) throw notFound('HostSystem', id)
    return host
  }

  #byPath(path: string): string {
    const name = /^Lab\/vm\/(.+)$/.exec(path)?.[1]
    const machine = [...this.machines.values()].find(each => each.name === name)
    return machine === undefined ? '' : ref('returnval', 'VirtualMachine', machine.id)
  }

  #setField(args: Xml): string {
    const entity = at(args, 'entity')
    const self = textOf(entity)
    // Throws where there is no such object.
    void (entity?.attributes.type === 'HostSystem' ? this.#host(self) : this.#machine(self))
    return this.#attributes.write(self, args)
  }

  /** Properties of the objects that are named, or of all of the inventory where a traversal leads through it. */
  #retrieve(args: Xml): string {
    const spec = at(args, 'specSet')
    const wanted = new Map(
      elements(spec, 'propSet').map(set => [text(set, 'type') ?? '', elements(set, 'pathSet').map(textOf)]),
    )
    const objects = elements(spec, 'objectSet').flatMap(set => {
      const object = at(set, 'obj')
      return elements(set, 'selectSet').length > 0
        ? this.#inventory()
        : [[object?.attributes.type ?? '', textOf(object)] as const]
    })
    const found = objects.flatMap(([type, self]) => {
      const values = (wanted.get(type) ?? []).flatMap(path => {
        const value = this.#property(type, self, path)
        return value === undefined ? [] : [el('propSet', `${el('name', path)}${valueXml(value)}`)]
      })
      return wanted.has(type) ? [el('objects', `${ref('obj', type, self)}${values.join('')}`)] : []
    })
    return found.length === 0 ? '' : el('returnval', found.join(''))
  }

  #inventory(): (readonly [type: string, self: string])[] {
    return [
      ...this.hosts.map(({ id }) => ['HostSystem', `host-${id}`] as const),
      ...[...this.machines.keys()].map(id => ['VirtualMachine', id] as const),
    ]
  }

  #property(type: string, self: string, path: string): readonly [string, string] | undefined {
    switch (type) {
      case 'VirtualMachine':
        return machineProperty(this.#machine(self), this.#attributes.of(self), path)
      case 'HostSystem': {
        const host = this.#host(self)
        return hostProperty(host, this.#attributes.of(self), path)
      }
      case 'Task': {
        const task = this.#tasks.get(self)
        if (!task) throw notFound('Task', self)
        return taskProperty(task, path)
      }
      case 'CustomFieldsManager':
        return this.#attributes.definitions()
      default:
        return placeProperty(type, self, path)
    }
  }
}

function notFound(type: string, id: string): VimFault {
  const message = `The object 'vim.${type}:${id}' has already been deleted or has not been completely created`
  return new VimFault('ManagedObjectNotFound', message, ref('obj', type, id))
}

function unknownMethod(method: string): VimFault {
  return new VimFault('MethodNotFound', `Unable to resolve WSDL method name ${method}`)
}
