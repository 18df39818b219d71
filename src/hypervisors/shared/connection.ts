import { InfraError } from '../../config/errors.js'
import { unlessAborted } from '../../deadline/signals.js'
import type { Machine } from '../../remote/index.js'

/** Opens a connection to a host; told by the signal to give up. */
export type Connect<M extends Machine = Machine> = (signal: AbortSignal) => Promise<M>

/** One SSH connection to a host, shared by all its guests: opened when first needed, and anew when lost. */
export class HostConnection<M extends Machine = Machine> {
  readonly #label: string
  readonly #connect: Connect<M>
  readonly #closing = new AbortController()
  #opening: Promise<M> | null = null
  #machine: M | null = null

  constructor(label: string, connect: Connect<M>) {
    this.#label = label
    this.#connect = connect
  }

  /** The connection that is open now, if there is one: nothing is opened, and nothing waited for. */
  get current(): M | null {
    return this.#machine?.lost.aborted === false ? this.#machine : null
  }

  /** The connected host. Throws InfraError when it cannot be reached, or when the signal aborts. */
  async machine(signal: AbortSignal): Promise<M> {
    this.#refuseWhen(this.#closing.signal.aborted, 'the driver is closed')
    const opening = (this.#opening ??= this.#open())
    const machine = await this.#unlessAborted(opening, signal)
    this.#machine = machine
    if (!machine.lost.aborted) {
      return machine
    }
    if (this.#opening === opening) {
      this.#opening = null
    }
    return this.machine(signal)
  }

  /** Ends the connection; what still runs on it is lost. */
  async close(): Promise<void> {
    this.#closing.abort()
    const machine = await this.#opening?.catch(() => null)
    this.#opening = null
    await machine?.close()
  }

  /** No caller's signal ends it: others may wait for the same connection. */
  #open(): Promise<M> {
    const opening = this.#connect(this.#closing.signal)
    opening.catch(() => {
      if (this.#opening === opening) {
        this.#opening = null
      }
    })
    return opening
  }

  async #unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
    return await unlessAborted(answer, signal).catch((error: unknown) => {
      throw signal.aborted && error === signal.reason
        ? this.#error('connecting was cancelled', 'runner', 'cancelled')
        : error
    })
  }

  #refuseWhen(condition: boolean, why: string): void {
    if (condition) {
      throw this.#error(why, 'runner', 'driver')
    }
  }

  #error(why: string, cause: 'runner', code: 'cancelled' | 'driver'): InfraError {
    return new InfraError(`${this.#label}: ${why}`, { cause, where: this.#label, code })
  }
}
