import { InfraError } from '../config/errors.js'
import { unlessAborted } from '../deadline/signals.js'
import type { GuestRequest, Instance, RunningGuest } from './driver.js'
import { awaitSent } from './managed-vm/await-state.js'
import type { Found, VmBackend } from './managed-vm/backend.js'
import { foundAs, giveBack } from './managed-vm/give-back.js'
import { RunningVm } from './managed-vm/running-vm.js'

/** An instance, and what its driver does with it when the driver closes. */
export interface ManagedInstance extends Instance {
  /** Stops watching what runs; it may go on. */
  release(): void
}

/** Errors of a host that was never reached: nothing can have been made on it. */
const unreachedCodes: ReadonlySet<string> = new Set(['connect', 'handshake', 'host-key', 'authentication'])

/**
 * One instance of a guest, from before it is made until it is gone: the only state machine of a virtual machine. Every
 * step may be repeated, cancelled, or undone while it still runs.
 */
export class ManagedVm implements ManagedInstance {
  readonly #backend: VmBackend
  readonly #request: GuestRequest
  readonly #busy = new Map<string, Promise<unknown>>()
  #isPrepared = false
  /** True once something may be there that must be removed. */
  #isTouched = false
  #found: Found | null = null
  #running: RunningVm | null = null

  constructor(backend: VmBackend, request: GuestRequest) {
    this.#backend = backend
    this.#request = request
  }

  get keepHint(): string {
    return this.#backend.keepHint
  }

  async prepare(signal: AbortSignal): Promise<this> {
    await this.#once('prepare', async () => {
      if (!this.#isPrepared) {
        await this.#touch(() => this.#backend.prepare(signal))
        if (this.#backend.lent) {
          this.#found = await this.#claim(signal)
        }
        this.#isPrepared = true
      }
    })
    return this
  }

  async start(signal: AbortSignal): Promise<RunningGuest> {
    const running = await this.#once('start', async () => {
      if (this.#running === null || this.#running.hasEnded) {
        this.#running = await this.#begin(signal)
      }
      return this.#running
    })
    return running.guest
  }

  /** Removes all that was made, whatever happened before; what still runs is ended by force. */
  async remove(signal: AbortSignal): Promise<void> {
    await this.#settled(signal)
    if (!this.#isTouched) {
      return
    }
    await this.#running?.abandon()
    const { lent } = this.#backend
    if (lent && this.#found !== null) {
      await giveBack(this.#backend, this.#found, signal)
    }
    await this.#backend.remove(signal)
    this.#running = null
    this.#isPrepared = false
    this.#isTouched = false
    this.#found = null
  }

  async keep(signal: AbortSignal): Promise<void> {
    await this.#backend.keep?.(this.#found, signal)
  }

  release(): void {
    this.#running?.release()
  }

  async #claim(signal: AbortSignal): Promise<Found> {
    const { instance } = this.#request
    const seen = await this.#backend.observe({ devices: true }, signal)
    const found = foundAs(seen, (await this.#backend.listSnapshots?.(signal)) ?? [], instance)
    await this.#backend.claim?.(found, signal)
    return found
  }

  async #begin(signal: AbortSignal): Promise<RunningVm> {
    if (!this.#isPrepared) {
      throw new InfraError(`${this.#request.instance}: it was not prepared`, {
        cause: 'runner',
        where: this.#request.instance,
        code: 'driver',
      })
    }
    const backend = this.#backend
    const power = this.#found?.power ?? 'off'
    if (power !== 'on') {
      await awaitSent(backend, power === 'paused' ? backend.start(signal) : backend.begin(signal), signal)
    }
    const description = await backend.describe(signal)
    const ends = power === 'off'
    return new RunningVm({ backend, request: this.#request, description, ends })
  }

  async #touch(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#isTouched = true
    } catch (error) {
      this.#isTouched ||= !(error instanceof InfraError && unreachedCodes.has(error.context.code))
      throw error
    }
  }

  /** The same work is not begun twice at a time. */
  #once<T>(name: string, work: () => Promise<T>): Promise<T> {
    const busy = this.#busy.get(name)
    if (busy !== undefined) {
      return busy as Promise<T>
    }
    const working = work().finally(() => this.#busy.delete(name))
    this.#busy.set(name, working)
    return working
  }

  /** Waits for work that was given up and still runs: what it makes must be found. Throws the signal's reason. */
  async #settled(signal: AbortSignal): Promise<void> {
    await unlessAborted(Promise.allSettled(this.#busy.values()), signal)
  }
}
