import type { HostLimits, Limit } from '../limit.js'
import type { Observed } from '../managed-vm/await-state.js'
import type { Expectation, Sent } from '../managed-vm/backend.js'
import type { Glance, Observation } from '../managed-vm/observation.js'
import { readProperties } from './api/properties.js'
import { beginTask, finishTask, type Task, taskPaths, updateTask } from './api/task.js'
import { hardwareOf, hardwarePath, type MachineState, stateOf, statePaths } from './machine.js'
import type { SiteHost, VsphereSite } from './site.js'
import type { Reference } from './soap/element.js'
import { isFault } from './soap/fault.js'
import type { Call, CallOptions } from './soap/session.js'

/** One host of a lab, at its site. */
export interface VsphereHost {
  /** As the lab calls it. */
  readonly id: string
  readonly site: VsphereSite
  readonly limits: HostLimits
  /** The host as its site has it; looked up once. */
  here(options: CallOptions): Promise<SiteHost>
  /** A host of the site by the lab's name for it, else by the site's. */
  labName(host: Reference | undefined, options: CallOptions): Promise<string>
}

/** A virtual machine that was found or made, and what is being done to it. */
export class Vm {
  readonly host: VsphereHost
  /** The instance, for messages. */
  readonly instance: string
  /** `null` while it was not found and not made. */
  self: Reference | null = null
  #task: Task | null = null

  constructor(host: VsphereHost, instance: string) {
    this.host = host
    this.instance = instance
  }

  options(signal: AbortSignal, limit: Limit = this.host.limits.command): CallOptions {
    return { signal, limit, where: this.instance }
  }

  /** Looks at it, and in the same question at the task that was begun last. */
  async observe({ devices }: { readonly devices: boolean }, signal: AbortSignal): Promise<Observation> {
    const { host, instance } = this
    const { session } = host.site
    const last = this.#task
    const task = last?.state === 'queued' || last?.state === 'running' ? last : null
    const absent = { power: 'absent', said: 'not there', incarnation: null, devices: null } as const
    if (this.self === null && task === null) {
      return { ...absent, host: host.id }
    }
    const options = this.options(signal)
    const wanted = { VirtualMachine: devices ? [...statePaths, hardwarePath] : statePaths, Task: taskPaths }
    const objects = [...(this.self === null ? [] : [this.self]), ...(task === null ? [] : [task.self])]
    const read = await readProperties(session, wanted, objects, options)
    if (task !== null) {
      updateTask(task, read, instance)
    }
    const machine = read.find(({ self }) => self.type === 'VirtualMachine')
    if (machine === undefined) {
      return { ...absent, host: host.id }
    }
    const { on, ...state } = stateOf(machine)
    return {
      ...state,
      host: await host.labName(on, options),
      devices: devices ? hardwareOf(machine.at(hardwarePath)) : null,
    }
  }

  /** Begins a task, and gives what a later look must show: its end, and a state of the machine. */
  async begin(method: string, expectation: Expectation, signal: AbortSignal): Promise<Sent<void>> {
    const task = await beginTask(this.host.site.session, this.call(method), this.options(signal))
    this.#task = task
    const holds = (seen: Observation): boolean => {
      const isThere = expectation.holds(seen)
      // Somebody else, or the guest itself, may have brought it there first.
      if (task.error !== null && !(isThere && isFault(task.error, 'InvalidPowerState'))) {
        throw task.error
      }
      return isThere && (task.state === 'success' || task.state === 'error')
    }
    return { value: undefined, shows: { ...expectation, holds } }
  }

  /** Carries a task out to its end. Throws VimFault with what it failed with. */
  async finish(call: Omit<Call, 'changes'>, limit: Limit, signal: AbortSignal): Promise<Task> {
    const { session } = this.host.site
    const task = await beginTask(session, call, this.options(signal))
    this.#task = task
    return this.follow(task, limit, signal)
  }

  follow(task: Task, limit: Limit, signal: AbortSignal): Promise<Task> {
    const { site, limits } = this.host
    return finishTask(site.session, task, limits.lookEvery.ms, this.options(signal, limit))
  }

  /** The task that was begun last, whatever became of it. */
  get lastTask(): Task | null {
    return this.#task
  }

  /** What it takes to see whether a command was carried out. */
  get observed(): Observed {
    const { instance, host } = this
    return { instance, limits: host.limits, observe: (wants, signal) => this.observe(wants, signal) }
  }

  call(method: string, args: Call['args'] = []): Omit<Call, 'changes'> {
    return { self: this.machine, method, args }
  }

  get machine(): Reference {
    if (this.self === null) {
      throw new Error(`${this.instance} has no virtual machine yet`)
    }
    return this.self
  }
}

/** What a list shows of machines, by the value of their reference. */
export async function glances(
  host: VsphereHost,
  machines: readonly Reference[],
  options: CallOptions,
): Promise<ReadonlyMap<string, Glance>> {
  const read = await readProperties(host.site.session, { VirtualMachine: statePaths }, machines, options)
  const found = new Map<string, Glance>()
  for (const each of read) {
    const state: MachineState = stateOf(each)
    const { on, question, power, said, incarnation } = state
    const at = await host.labName(on, options)
    // One that asks something is looked at by itself: it is held until somebody answers.
    found.set(each.self.value, {
      power: question === undefined ? power : 'paused',
      said,
      incarnation,
      host: at,
    })
  }
  return found
}
