import { setTimeout as wait } from 'node:timers/promises'
import type { Power } from './managed-vm/observation.js'

/**
 * A hypervisor that is not libvirt: no shell, no paths, no serial numbers. One connection serves many hosts; every command
 * is a task that returns at once, ends later, and may fail then. Machines move by themselves, and may ask a question.
 */
export class Cloud {
  readonly machines = new Map<string, Machine>()
  /** Calls so far, and who is told of each: a test that cancels or fails in the middle. */
  calls = 0
  onCall: (call: number, task: string) => void = () => {}
  /** The task that fails next, late. */
  failing: string | null = null
  readonly #listeners = new Set<(name: string) => void>()

  /** Runs a task: what it does is seen later, and so is its failure. */
  task(kind: string, name: string, work: (machine: Machine) => void): Task {
    this.call(kind)
    const task: Task = { isDone: false, error: null }
    const isFailing = this.failing === kind
    this.failing = isFailing ? null : this.failing
    void wait(taskMs).then(() => {
      const machine = this.machines.get(name)
      task.isDone = true
      if (isFailing) {
        task.error = `task ${kind} failed: insufficient resources`
      } else if (machine !== undefined) {
        work(machine)
        this.tell(name)
      }
    })
    return task
  }

  call(kind: string): void {
    this.calls += 1
    this.onCall(this.calls, kind)
  }

  listen(listener: (name: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(name: string): void {
    for (const listener of [...this.#listeners]) {
      listener(name)
    }
  }

  /** Changes a machine behind everybody's back. */
  alter(name: string, change: Partial<Machine>): void {
    const machine = this.machines.get(name)
    if (machine === undefined) {
      throw new Error(`there is no machine ${name}`)
    }
    Object.assign(machine, change)
    this.tell(name)
  }
}

interface Task {
  isDone: boolean
  error: string | null
}

export interface Machine {
  power: Power
  host: string
  boots: number
  vcpus: number
  memoryBytes: number
  disks: string[]
  nics: string[]
  snapshots: Map<string, Power>
  question: string | null
  kept: boolean
}

/** How long a task takes. */
export const taskMs = 15
/** A machine as a cluster makes it. */
export const newMachine = (): Machine => ({
  power: 'off',
  host: 'node-1',
  boots: 0,
  vcpus: 2,
  memoryBytes: 2 ** 28,
  disks: ['os'],
  nics: ['a'],
  snapshots: new Map(),
  question: null,
  kept: false,
})
