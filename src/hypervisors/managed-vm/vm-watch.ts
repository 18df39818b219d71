import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import type { WatchedConsole } from '../console/watch.js'
import type { GuestRequest, UnexpectedEvent } from '../driver.js'
import type { Hint, VmBackend } from './backend.js'
import { type Glance, type Known, type Observation, reduce, type VmEvent } from './observation.js'

/** What is watched. */
export interface Watched {
  readonly backend: VmBackend
  readonly request: GuestRequest
  readonly console: WatchedConsole | null
}

const never = new AbortController().signal

/** Hears what a backend tells of a virtual machine that runs, looks, and knows what became of it. */
export class VmWatch {
  known: Known
  /** True once its end is wanted: whatever comes is no loss. */
  isEnded = false
  readonly #watched: Watched
  readonly #gone = new AbortController()
  readonly #unwatch: () => void
  /** What it outlived, and who wants to know. */
  readonly #unexpected: UnexpectedEvent[] = []
  readonly #listeners = new Set<(what: UnexpectedEvent) => void>()
  /** Work under way that disturbs it: what is seen meanwhile says nothing. */
  #disturbing = 0
  #disturbedAtMs = performance.now()
  /** True when something was told while it was disturbed. */
  #hasMissed = false
  /** Looks one after the other: a later one knows what an earlier one found. */
  #looking: Promise<void> = Promise.resolve()

  constructor(watched: Watched, known: Known) {
    this.#watched = watched
    this.known = known
    this.#unwatch = watched.backend.watch(hint => this.#hear(hint))
  }

  /** Aborts, with an InfraError as its reason, when the machine is lost or its guest has crashed. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** Calls for what happens unexpectedly and is outlived; at once for what has happened before. */
  onUnexpected(listener: (what: UnexpectedEvent) => void): () => void {
    this.#listeners.add(listener)
    for (const what of this.#unexpected) {
      listener(what)
    }
    return () => this.#listeners.delete(listener)
  }

  /** Looks now: what has happened is known when it resolves. */
  async lookNow(): Promise<void> {
    const askedAtMs = performance.now()
    this.#looking = this.#looking.then(() => this.#look(null, askedAtMs, true)).catch(() => {})
    await this.#looking
  }

  /** Watches it no more. */
  release(): void {
    this.#unwatch()
  }

  /** Until the answer is called, what is seen says nothing: it is ended, made anew, or held. */
  disturb(): () => void {
    this.#disturbing += 1
    return () => {
      this.#disturbing -= 1
      this.#disturbedAtMs = performance.now()
      if (this.#hasMissed && this.#disturbing === 0) {
        this.#hasMissed = false
        this.#hear({ type: 'seen', seen: null, askedAtMs: Number.POSITIVE_INFINITY })
      }
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
        void this.#watched.console?.tell(hint.why)
        return
      case 'seen':
        this.#looking = this.#looking.then(() => this.#look(hint.seen, hint.askedAtMs)).catch(() => {})
    }
  }

  /** `whole` where the incarnation matters: some hosts tell it only with all that a machine has. */
  async #look(glance: Glance | null, askedAtMs: number, whole = false): Promise<void> {
    if (!this.#isFresh(askedAtMs)) {
      // What is told once is not told again.
      this.#hasMissed ||= glance === null
      return
    }
    const glanced = glance === null ? null : this.#reduce(glance)
    if (glance !== null && glanced === null) {
      return
    }
    // A list tells no reasons: whatever is strange is looked at by itself.
    const againMs = performance.now()
    const devices = whole || glanced?.type === 'restarted'
    const seen = await this.#watched.backend.observe({ devices }, never)
    // What the guest said last outranks the end of its machine.
    await this.#watched.console?.look(never).catch(() => {})
    const event = this.#isFresh(againMs) ? this.#reduce(seen) : null
    if (event !== null) {
      this.#happened(event)
    }
  }

  #isFresh(askedAtMs: number): boolean {
    const isOver = this.isEnded || this.#gone.signal.aborted
    return !isOver && this.#disturbing === 0 && askedAtMs > this.#disturbedAtMs
  }

  /** A glance that shows an event is only a reason to look: what it shows is not adopted. */
  #reduce(seen: Glance | Observation): VmEvent | null {
    const { graceMs, restarts } = this.#watched.backend
    const given = { nowMs: performance.now(), graceMs, ...(restarts === undefined ? {} : { restarts }) }
    const { known, event } = reduce(this.known, seen, given)
    if (event === null || 'devices' in seen) {
      this.known = known
    } else {
      this.known = { ...this.known, strangeSinceMs: known.strangeSinceMs }
    }
    return event
  }

  #happened(event: VmEvent): void {
    if (this.isEnded || this.#gone.signal.aborted) {
      return
    }
    const { instance, evidenceFolder } = this.#watched.request
    const why = event.type === 'moved' ? `from ${event.from} to ${event.to}` : event.why
    // Evidence that cannot be written is not a reason to lose a guest.
    void appendFile(
      join(evidenceFolder, 'host-events.log'),
      `${new Date().toISOString()} ${event.type}: ${why}\n`,
    ).catch(() => {})
    if (event.type === 'lost' || event.type === 'crashed') {
      const { cause } = event
      this.#gone.abort(new InfraError(`${instance}: ${why}`, { cause, where: instance, code: 'lost' }))
      return
    }
    this.#unexpected.push(event)
    for (const listener of this.#listeners) {
      listener(event)
    }
  }
}
