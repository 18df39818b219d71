import { setInterval } from 'node:timers/promises'
import type { InfraError } from '../../config/errors.js'
import type { DomainState } from './power-state.js'

/** Asks a host for the states of all its domains. */
export type LookAll = (signal: AbortSignal) => Promise<ReadonlyMap<string, DomainState>>

/** Who is told about one domain. */
export interface Watcher {
  readonly domain: string
  /** `null` when the domain is not there. `askedAt` is monotonic ms: what happened since is not in the answer. */
  onState(state: DomainState | null, askedAt: number): void
  /** The host has not answered for as long as it may. */
  onSilence(error: Error): void
}

/** Looks at a host's domains in one question for all of them, while anyone wants to know. */
export class HostWatch {
  readonly #look: LookAll
  readonly #everyMs: number
  readonly #silenceMs: number
  readonly #watchers = new Set<Watcher>()
  #running: AbortController | null = null

  constructor(look: LookAll, { everyMs, silenceMs }: { everyMs: number; silenceMs: number }) {
    this.#look = look
    this.#everyMs = everyMs
    this.#silenceMs = silenceMs
  }

  /** Watches a domain until the answer is called. */
  add(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    if (this.#running === null) {
      const running = new AbortController()
      this.#running = running
      void this.#watch(running.signal).catch(() => {})
    }
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) {
        this.close()
      }
    }
  }

  close(): void {
    this.#running?.abort()
    this.#running = null
    this.#watchers.clear()
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let answeredAt = performance.now()
    for await (const _ of setInterval(this.#everyMs, null, { signal })) {
      const askedAt = performance.now()
      try {
        const states = await this.#look(signal)
        answeredAt = performance.now()
        for (const watcher of [...this.#watchers]) {
          watcher.onState(states.get(watcher.domain) ?? null, askedAt)
        }
      } catch (error) {
        if (!signal.aborted && performance.now() - answeredAt > this.#silenceMs) {
          this.#tellSilence(error as InfraError)
        }
      }
    }
  }

  #tellSilence(error: Error): void {
    for (const watcher of [...this.#watchers]) {
      watcher.onSilence(error)
    }
  }
}
