import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ability } from '../../config/abilities.js'
import { InfraError } from '../../config/errors.js'
import { type WatchedConsole, watchConsole } from '../console/watch.js'
import type { Access, GuestRequest, RunningGuest } from '../driver.js'
import { awaitSent, awaitState } from './await-state.js'
import {
  type Command,
  type Description,
  type Hint,
  type Sent,
  sent,
  usualProofs,
  type VmBackend,
} from './backend.js'
import {
  type Glance,
  isDown,
  isUp,
  type Known,
  type Observation,
  reduce,
  type VmEvent,
} from './observation.js'
import { offer } from './offer.js'

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
  readonly #gone = new AbortController()
  readonly #unwatch: () => void
  #known: Known
  /** Work under way that disturbs it: what is seen meanwhile says nothing. */
  #disturbing = 0
  #disturbedAtMs = performance.now()
  #upSinceMs = performance.now()
  #ended = false
  /** True when something was told while it was disturbed. */
  #hasMissed = false
  /** Looks one after the other: a later one knows what an earlier one found. */
  #looking: Promise<void> = Promise.resolve()

  constructor(begun: Begun) {
    const { backend, request, description } = begun
    this.#begun = begun
    this.#known = {
      wanted: 'on',
      host: description.host,
      incarnation: description.incarnation,
      strangeSinceMs: null,
    }
    const { console: read } = description
    this.#console =
      read === null
        ? null
        : watchConsole({ where: request.instance, read, everyMs: backend.limits.consoleEvery.ms })
    this.guest = offer(this, begun, this.#console)
    this.#unwatch = backend.watch(hint => this.#hear(hint))
  }

  get gone(): AbortSignal {
    return this.#gone.signal
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** The host that it is on, as far as is known. */
  get host(): string {
    return this.#known.host
  }

  /** Stops watching it; it may go on. */
  release(): void {
    this.#unwatch()
    this.#console?.close()
  }

  observe(signal: AbortSignal, devices = false): Promise<Observation> {
    return this.#begun.backend.observe({ devices }, signal)
  }

  /** Watches it no more and takes what it said: it is about to be removed. */
  async abandon(): Promise<void> {
    this.release()
    if (!this.#ended) {
      this.#ended = true
      // A log that cannot be had is no reason to leave a guest half undone.
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
    const before = this.#known.wanted
    const was = proof === 'incarnation' ? await this.observe(signal) : null
    this.#disturbing += disturbs === true ? 1 : 0
    this.#known = { ...this.#known, wanted: leaves ?? before }
    try {
      const { value, seen } = await awaitSent(backend, send(signal), signal)
      const another = was === null ? null : await this.#awaitAnother(was, signal)
      this.#adopt(another ?? seen, disturbs === true)
      return value
    } catch (error) {
      this.#known = { ...this.#known, wanted: before }
      throw error
    } finally {
      if (disturbs === true) {
        this.#disturbing -= 1
        this.#disturbedAtMs = performance.now()
        if (this.#hasMissed && this.#disturbing === 0) {
          this.#hasMissed = false
          this.#hear({ type: 'seen', seen: null, askedAtMs: Number.POSITIVE_INFINITY })
        }
      }
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
    if (this.#known.wanted === 'off' && !this.#gone.signal.aborted) {
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
    this.#ended = true
    await this.hearConsole(signal)
    this.release()
    try {
      if (ends) {
        await this.#stopGently(signal)
      }
    } finally {
      // A log that cannot be had is no reason to leave a guest half undone.
      await backend.collect?.('end', never).catch(() => {})
    }
  }

  async #stopGently(signal: AbortSignal): Promise<void> {
    const { backend } = this.#begun
    const isGone = ({ power }: Observation): boolean => power === 'off' || power === 'absent'
    try {
      const before = await this.observe(signal)
      if (isGone(before)) {
        return
      }
      if (before.power === 'paused') {
        await awaitSent(backend, backend.start(signal), signal)
      }
      if (before.power !== 'crashed') {
        const { seen } = await awaitSent(backend, backend.requestShutdown(signal), signal)
        if (seen !== null && isGone(seen)) {
          return
        }
      }
    } catch (error) {
      // Whatever kept it from its end, force does not: but nothing is forced on a host that is not reached.
      if (
        error instanceof InfraError &&
        (error.context.code === 'lost' || error.context.code === 'connect')
      ) {
        throw error
      }
    }
    const until = signal.aborted ? never : signal
    await awaitSent(backend, backend.kill(until), until)
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
      const incarnation = seen.incarnation ?? (mayBeAnother ? null : this.#known.incarnation)
      this.#known = { ...this.#known, host: seen.host, incarnation, strangeSinceMs: null }
    } else if (mayBeAnother) {
      this.#known = { ...this.#known, incarnation: null, strangeSinceMs: null }
    }
    if (mayBeAnother) {
      this.#upSinceMs = performance.now()
    }
  }

  #hear(hint: Hint): void {
    switch (hint.type) {
      case 'silent': {
        const why = `the host no longer answers: ${hint.error.message}`
        this.#happened({ type: 'lost', cause: 'host', why })
        return
      }
      case 'panicked':
        void this.#console?.tell(hint.why)
        return
      case 'seen':
        this.#looking = this.#looking.then(() => this.#look(hint.seen, hint.askedAtMs)).catch(() => {})
    }
  }

  async #look(glance: Glance | null, askedAtMs: number): Promise<void> {
    if (!this.#isFresh(askedAtMs)) {
      // What is told once is not told again.
      this.#hasMissed ||= glance === null
      return
    }
    if (glance !== null && this.#reduce(glance) === null) {
      return
    }
    // A list tells no reasons: whatever is strange is looked at by itself.
    const againMs = performance.now()
    const seen = await this.observe(never)
    // What the guest said last outranks the end of its machine.
    await this.hearConsole(never)
    const event = this.#isFresh(againMs) ? this.#reduce(seen) : null
    if (event !== null) {
      this.#happened(event)
    }
  }

  #isFresh(askedAtMs: number): boolean {
    const isOver = this.#ended || this.#gone.signal.aborted
    return !isOver && this.#disturbing === 0 && askedAtMs > this.#disturbedAtMs
  }

  /** A glance that shows an event is only a reason to look: what it shows is not adopted. */
  #reduce(seen: Glance | Observation): VmEvent | null {
    const { graceMs } = this.#begun.backend
    const { known, event } = reduce(this.#known, seen, { nowMs: performance.now(), graceMs })
    if (event === null || 'devices' in seen) {
      this.#known = known
    } else {
      this.#known = { ...this.#known, strangeSinceMs: known.strangeSinceMs }
    }
    return event
  }

  #happened(event: VmEvent): void {
    if (this.#ended || this.#gone.signal.aborted) {
      return
    }
    const { instance, evidenceFolder } = this.#begun.request
    const why = event.type === 'moved' ? `from ${event.from} to ${event.to}` : event.why
    // Evidence that cannot be written is no reason to lose a guest.
    void appendFile(
      join(evidenceFolder, 'host-events.log'),
      `${new Date().toISOString()} ${event.type}: ${why}\n`,
    ).catch(() => {})
    if (event.type === 'lost' || event.type === 'crashed') {
      const { cause } = event
      this.#gone.abort(new InfraError(`${instance}: ${why}`, { cause, where: instance, code: 'lost' }))
    }
  }
}
