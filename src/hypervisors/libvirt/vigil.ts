import type { GuestConsole } from '../driver.js'
import { type DomainState, isActive } from '../shared/power-state.js'
import { tellsPanics } from './domain.js'
import { type Seat, stateOf } from './host.js'
import { isSuspicious, type Loss, lossError, lossOf } from './loss.js'
import type { XmlElement } from './xml.js'

/** Whose state is looked at. */
export interface Watched {
  readonly seat: Seat
  readonly domain: string
  /** The instance that messages name. */
  readonly where: string
  readonly xml: XmlElement
  readonly console: GuestConsole | null
}

const never = new AbortController().signal

/** Looks at one domain's state, and tells when it is gone unasked. */
export class Vigil {
  /** True while we paused it ourselves. */
  paused = false
  /** True while it is off on purpose. */
  off = false
  readonly #watched: Watched
  readonly #gone = new AbortController()
  #unwatch: () => void
  /** Calls under way that change the domain's state: what is seen meanwhile says nothing. */
  #changing = 0
  #changedAt = performance.now()
  #ended = false

  constructor(watched: Watched) {
    this.#watched = watched
    this.#unwatch = this.#watch()
  }

  /** Aborts, with the loss as its reason. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** Does what changes the domain's state. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#changing += 1
    try {
      return await work()
    } finally {
      this.#changing -= 1
      this.#changedAt = performance.now()
    }
  }

  /** The domain has been moved: from now on its other host is asked. */
  move(): void {
    this.#unwatch()
    this.#unwatch = this.#watch()
  }

  /** Stops looking; the domain may go on. */
  release(): void {
    this.#unwatch()
  }

  /** Its end is wanted: whatever comes is no loss. */
  end(): void {
    this.#ended = true
    this.#unwatch()
  }

  #watch(): () => void {
    return this.#watched.seat.host.watch.add({
      domain: this.#watched.domain,
      onState: (state, askedAt) => void this.#look(state, askedAt).catch(() => {}),
      onSilence: error => this.#lose({ cause: 'host', why: `the host no longer answers: ${error.message}` }),
    })
  }

  async #look(state: DomainState | null, askedAt: number): Promise<void> {
    const { seat, domain, where, xml, console } = this.#watched
    const { xen, limits } = seat.host
    const isFresh = (): boolean => !this.#ended && this.#changing === 0 && askedAt > this.#changedAt
    const isMeant = this.off && state !== null && !isActive(state)
    const context = { xen, tellsPanics: tellsPanics(xml), paused: this.paused }
    if (!isFresh() || isMeant || !isSuspicious(state, context)) {
      return
    }
    const call = { signal: never, limit: limits.command, where }
    const answer = state === null ? null : await stateOf(seat.host, domain, call)
    // What the guest said last outranks the end of its domain.
    await console?.look(never).catch(() => {})
    const loss = isFresh() ? lossOf(answer, context) : null
    if (loss !== null) {
      this.#lose(loss)
    }
  }

  #lose(loss: Loss): void {
    if (!this.#ended && !this.#gone.signal.aborted) {
      this.#gone.abort(lossError(this.#watched.where, loss))
    }
  }
}
