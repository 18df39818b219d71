import type { Guest } from '../../../api/guest.js'
import type { Host } from '../../../api/host.js'
import type { Peer } from '../../../api/peer.js'
import type { ClockReading } from '../../../guests/clock.js'
import { clockOffset } from '../../api-clock.js'
import { hostMethods, methodsOf, type Travel } from '../methods.js'
import type { Reply, Start, Target } from '../wire.js'
import { decodeError, encodeError } from '../wire-error.js'
import type { Port } from './body.js'
import type { WriteFrame } from './frames.js'

interface Pending {
  readonly name: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  /** The module's own function, carried out once the call is open. */
  readonly action?: () => unknown
}

/** The calls of a module: each is a message, and its answer another. */
export class Calls {
  readonly #port: Port
  readonly #write: WriteFrame
  readonly #pending = new Map<number, Pending>()
  readonly #errors = new WeakMap<object, number>()
  #last = 0
  #hasEnded = false

  constructor(port: Port, write: WriteFrame) {
    this.#port = port
    this.#write = write
  }

  guestFor({ environment, values }: Start): Guest {
    return this.#object<Guest>('guest', methodsOf[environment.guest.family], values.guest)
  }

  peerFor({ peerFamily, values }: Start): Peer {
    return peerFamily === null ? noPeer : this.#object<Peer>('peer', methodsOf[peerFamily], values.peer)
  }

  hostFor({ values }: Start): Host {
    return this.#object<Host>('host', hostMethods, values.host)
  }

  /** Takes the runner's word for a call. */
  take(reply: Exclude<Reply, { kind: 'abort' }>): void {
    const call = this.#pending.get(reply.id)
    if (call === undefined) {
      return
    }
    if (reply.kind === 'opened') {
      void this.#carryOut(reply.id, call.action)
      return
    }
    this.#pending.delete(reply.id)
    if (this.#pending.size === 0) this.#port.unref()
    if (reply.kind === 'answer') {
      call.resolve(reply.value)
    } else {
      const error = decodeError(reply.error)
      this.#errors.set(error, reply.id)
      call.reject(error)
    }
  }

  /** Calls that wait for an answer. */
  inFlight(): string[] {
    return [...this.#pending.values()].map(({ name }) => name)
  }

  /** The call that an error was the answer of; `null` for the module's own. */
  whoseError(error: unknown): number | null {
    return (typeof error === 'object' && error !== null ? this.#errors.get(error) : undefined) ?? null
  }

  /** The body has ended: nothing waits for answers any more, and nothing is asked. */
  end(): void {
    this.#hasEnded = true
    this.#port.unref()
  }

  async #carryOut(id: number, action: Pending['action']): Promise<void> {
    try {
      await action?.()
      this.#write({ kind: 'closed', id, error: null })
    } catch (error) {
      this.#write({ kind: 'closed', id, error: encodeError(error) })
    }
  }

  #object<T>(target: Target, methods: Readonly<Record<string, Travel>>, values: object): T {
    const calls = Object.entries(methods).map(([method, travel]) => [
      method,
      (...args: unknown[]) => this.#call(target, method, travel, args),
    ])
    return { ...values, ...Object.fromEntries(calls) } as T
  }

  async #call(target: Target, method: string, travel: Travel, given: readonly unknown[]): Promise<unknown> {
    const name = `${target}.${method}`
    if (this.#hasEnded) {
      this.#write({ kind: 'late', what: `the call ${name}()` })
      throw new Error(`${name}() was called after the test had ended`)
    }
    const [first, ...others] = given
    const action = travel === 'action' ? first : undefined
    if (travel === 'action' && typeof action !== 'function') {
      throw new TypeError(`${name}() expects a function as its first argument`)
    }
    this.#last += 1
    const id = this.#last
    const args = travel === 'action' ? others : given
    // Throws for what is not data, a function for instance, before anything is waited for.
    this.#write({ kind: 'call', id, target, method, args: withoutTail(args) })
    this.#port.ref()
    const answer = await new Promise((resolve, reject) => {
      this.#pending.set(id, {
        name,
        resolve,
        reject,
        ...(typeof action === 'function' ? { action: () => action() } : {}),
      })
    })
    return travel === 'reading' ? clockOffset(answer as ClockReading) : answer
  }
}

/** What a test has in place of a peer that its manifest does not ask for. */
const noPeer = new Proxy({} as Peer, {
  get: () => {
    throw new TypeError('this test has no peer: its manifest must say "needs: { peer: true }"')
  },
})

/** Arguments that are absent at the end are not sent. */
function withoutTail(args: readonly unknown[]): readonly unknown[] {
  const last = args.findLastIndex(arg => arg !== undefined)
  return args.slice(0, last + 1)
}
