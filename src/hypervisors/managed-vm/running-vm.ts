import type { Ability } from '../../config/abilities.js'
import { unlessAborted } from '../../deadline/signals.js'
import { type WatchedConsole, watchConsole } from '../console/watch.js'
import type { Access, GuestRequest, RunningGuest, UnexpectedEvent } from '../driver.js'
import { awaitSent, awaitState } from './await-state.js'
import { type Command, type Description, type Sent, sent, usualProofs, type VmBackend } from './backend.js'
import { isDown, isUp, type Known, type Observation } from './observation.js'
import { offer } from './offer.js'
import { stopGently } from './stop-gently.js'
import { VmWatch } from './vm-watch.js'

/** What a virtual machine has become when it has begun to run. */
export interface Begun {
  readonly backend: VmBackend
  readonly request: GuestRequest
  readonly description: Description
  /** False for a lent machine that ran before: it is not ours to end. */
  readonly ends: boolean
}

/** How something is done to a virtual machine. */
export interface Doing {
  readonly ability: Ability
  /** What it is meant to be afterwards, from the moment that it is asked; as before if absent. */
  readonly leaves?: Known['wanted']
  /** True when what is seen meanwhile says nothing: it is ended, made anew, or held. */
  readonly disturbs?: boolean
}

const never = new AbortController().signal

/** A virtual machine that runs: it is watched, and whatever is done to it is judged by what is seen of it later. */
export class RunningVm {
  readonly guest: RunningGuest
  readonly #begun: Begun
  readonly #console: WatchedConsole | null
  readonly #watch: VmWatch
  #upSinceMs = performance.now()

  constructor(begun: Begun) {
    const { backend, request, description } = begun
    this.#begun = begun
    const { console: read, host, incarnation } = description
    this.#console =
      read === null
        ? null
        : watchConsole({ where: request.instance, read, everyMs: backend.limits.consoleEvery.ms })
    const known: Known = { wanted: 'on', host, incarnation, strangeSinceMs: null }
    this.#watch = new VmWatch({ backend, request, console: this.#console }, known)
    this.guest = offer(this, begun, this.#console)
  }

  get gone(): AbortSignal {
    return this.#watch.gone
  }

  onUnexpected(listener: (what: UnexpectedEvent) => void): () => void {
    return this.#watch.onUnexpected(listener)
  }

  /** Looks at it now: what has happened to it is told when this resolves. */
  lookNow(signal: AbortSignal): Promise<void> {
    return unlessAborted(this.#watch.lookNow(), signal)
  }

  get hasEnded(): boolean {
    return this.#watch.isEnded
  }

  /** The host that it is on, as far as is known. */
  get host(): string {
    return this.#watch.known.host
  }

  /** Stops watching it; it may go on. */
  release(): void {
    this.#watch.release()
    this.#console?.close()
  }

  observe(signal: AbortSignal, devices = false): Promise<Observation> {
    return this.#begun.backend.observe({ devices }, signal)
  }

  /** Watches it no more and takes what it said: it is about to be removed. */
  async abandon(): Promise<void> {
    this.release()
    if (!this.#watch.isEnded) {
      this.#watch.isEnded = true
      // A log that cannot be had is not a reason to leave a guest half undone.
      await this.#begun.backend.collect?.('end', never).catch(() => {})
    }
  }

  /** How it is reached. All waits for its address after a start share one limit "boot". */
  access(signal: AbortSignal): Promise<Access> {
    const { backend, request } = this.#begun
    const leftMs = request.limits.boot - (performance.now() - this.#upSinceMs)
    return backend.access({ name: 'boot', ms: Math.max(0, leftMs) }, signal)
  }

  /** Does something to it, and waits until an observation shows that it was done. */
  async carryOut<T>(
    { ability, leaves, disturbs }: Doing,
    send: Command<[], T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { backend } = this.#begun
    const proof = backend.proofs?.[ability] ?? usualProofs[ability]
    const before = this.#watch.known.wanted
    const was = proof === 'incarnation' ? await this.observe(signal) : null
    const settle = disturbs === true ? this.#watch.disturb() : () => {}
    this.#watch.known = { ...this.#watch.known, wanted: leaves ?? before }
    try {
      const { value, seen } = await awaitSent(backend, send(signal), signal)
      const another = was === null ? null : await this.#awaitAnother(was, signal)
      this.#adopt(another ?? seen, disturbs === true)
      return value
    } catch (error) {
      this.#watch.known = { ...this.#watch.known, wanted: before }
      throw error
    } finally {
      settle()
    }
  }

  /** Reads what its console has said by now; one that cannot be read says nothing. */
  async hearConsole(signal: AbortSignal): Promise<void> {
    await this.#console?.look(signal).catch(() => {})
  }

  pause(signal: AbortSignal): Promise<void> {
    return this.#unless(
      seen => seen.power === 'paused',
      { ability: 'pause', leaves: 'paused', disturbs: true },
      signal,
      'pause',
    )
  }

  resume(signal: AbortSignal): Promise<void> {
    return this.#unless(
      seen => seen.power === 'on',
      { ability: 'pause', leaves: 'on', disturbs: true },
      signal,
      'resume',
    )
  }

  async shutdown(signal: AbortSignal): Promise<void> {
    const doing: Doing = { ability: 'stop', leaves: 'off', disturbs: true }
    const { backend } = this.#begun
    await this.#end(doing, signal, async seen => {
      if (seen.power === 'paused') {
        await awaitSent(backend, backend.start(signal), signal)
      }
      return await backend.requestShutdown(signal)
    })
  }

  powerOff(signal: AbortSignal): Promise<void> {
    const doing: Doing = { ability: 'stop', leaves: 'off', disturbs: true }
    return this.#end(doing, signal, () => this.#begun.backend.kill(signal))
  }

  async powerOn(signal: AbortSignal): Promise<void> {
    if (this.#watch.known.wanted === 'off' && !this.#watch.gone.aborted) {
      const { backend } = this.#begun
      const doing: Doing = { ability: 'stop', leaves: 'on', disturbs: true }
      await this.carryOut(
        doing,
        async until => {
          // A start may begin console and logs anew: what they hold is evidence.
          await this.hearConsole(until)
          await backend.collect?.('before-start', until)
          return backend.start(until)
        },
        signal,
      )
    }
  }

  /** Ends it for good: asks first, then by force. A lent one that ran before goes on. */
  async end(signal: AbortSignal): Promise<void> {
    const { backend, ends } = this.#begun
    this.#watch.isEnded = true
    await this.hearConsole(signal)
    this.release()
    try {
      if (ends) {
        await stopGently(backend, signal)
      }
    } finally {
      // A log that cannot be had is not a reason to leave a guest half undone.
      await backend.collect?.('end', never).catch(() => {})
    }
  }

  async #unless(
    isDone: (seen: Observation) => boolean,
    doing: Doing,
    signal: AbortSignal,
    name: 'pause' | 'resume',
  ): Promise<void> {
    const command = this.#begun.backend[name]
    await this.carryOut(
      doing,
      async until => {
        const seen = await this.observe(until)
        return isDone(seen) || command === undefined ? sent() : command(until)
      },
      signal,
    )
  }

  async #end(
    doing: Doing,
    signal: AbortSignal,
    how: (seen: Observation) => Promise<Sent<void>>,
  ): Promise<void> {
    await this.carryOut(
      doing,
      async until => {
        const seen = await this.observe(until)
        return isDown(seen) ? sent() : how(seen)
      },
      signal,
    )
  }

  #awaitAnother(was: Observation, signal: AbortSignal): Promise<Observation> {
    const { backend } = this.#begun
    const holds = (seen: Observation): boolean => isUp(seen) && seen.incarnation !== was.incarnation
    const what = 'start it anew'
    return awaitState(backend, { what, cause: 'host', limit: backend.limits.start, holds }, signal)
  }

  /** What was done may have made another machine of it. */
  #adopt(seen: Observation | null, mayBeAnother: boolean): void {
    if (seen !== null) {
      const incarnation = seen.incarnation ?? (mayBeAnother ? null : this.#watch.known.incarnation)
      this.#watch.known = { ...this.#watch.known, host: seen.host, incarnation, strangeSinceMs: null }
    } else if (mayBeAnother) {
      this.#watch.known = { ...this.#watch.known, incarnation: null, strangeSinceMs: null }
    }
    if (mayBeAnother) {
      this.#upSinceMs = performance.now()
    }
  }
}
