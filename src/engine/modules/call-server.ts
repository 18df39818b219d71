import type { Family } from '../../config/model.js'
import { travelOf } from './methods.js'
import type { CallFrame, Frame, Reply, Target } from './wire.js'
import { decodeError, encodeError } from './wire-error.js'

type Method = (...args: readonly unknown[]) => Promise<unknown>

/** Carries out the calls of a module, and knows which of them still run. */
export class CallServer {
  readonly #targets: Readonly<Record<Target, object>>
  readonly #family: Readonly<Record<Target, Family>>
  readonly #reply: (reply: Reply) => void
  readonly #running = new Map<number, Promise<void>>()
  readonly #closings = new Map<number, (frame: Extract<Frame, { kind: 'closed' }>) => void>()
  readonly #errors = new Map<number, unknown>()
  #isOpen = true

  constructor(
    targets: Readonly<Record<Target, object>>,
    family: Readonly<Record<Target, Family>>,
    reply: (reply: Reply) => void,
  ) {
    this.#targets = targets
    this.#family = family
    this.#reply = reply
  }

  /** How many calls have not been answered. */
  get running(): number {
    return this.#running.size
  }

  /** What a call of this attempt was refused with: the error itself, which knows more than the module's copy. */
  errorOf(call: number): unknown {
    return this.#errors.get(call)
  }

  begin(call: CallFrame): void {
    if (this.#isOpen) {
      const running = this.#carryOut(call).finally(() => this.#running.delete(call.id))
      this.#running.set(call.id, running)
    }
  }

  /** The module's action inside a call has ended. */
  close(frame: Extract<Frame, { kind: 'closed' }>): void {
    this.#closings.get(frame.id)?.(frame)
  }

  /** Takes no more calls; resolves when those that run have ended. */
  async end(): Promise<void> {
    this.#isOpen = false
    await Promise.allSettled(this.#running.values())
  }

  async #carryOut({ id, target, method, args }: CallFrame): Promise<void> {
    try {
      const value = await this.#invoke(id, target, method, args)
      this.#reply({ kind: 'answer', id, value })
    } catch (error) {
      this.#errors.set(id, error)
      this.#reply({ kind: 'refusal', id, error: encodeError(error) })
    }
  }

  async #invoke(id: number, target: Target, method: string, args: readonly unknown[]): Promise<unknown> {
    const travel = travelOf(target, method, this.#family[target])
    const object = this.#targets[target] as Readonly<Record<string, Method | undefined>>
    const call = travel === undefined ? undefined : object[method]
    if (call === undefined) {
      throw new TypeError(`${target}.${method} is not a method of guestcert/api`)
    }
    return travel === 'action' ? call(() => this.#action(id), ...args) : call(...args)
  }

  /** The module's own action: it begins when the module hears of the opening. */
  #action(id: number): Promise<void> {
    const closed = new Promise<void>((resolve, reject) => {
      this.#closings.set(id, ({ error }) => (error === null ? resolve() : reject(decodeError(error))))
    })
    this.#reply({ kind: 'opened', id })
    return closed.finally(() => this.#closings.delete(id))
  }
}
