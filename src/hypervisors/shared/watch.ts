import { setInterval } from 'node:timers/promises'
import type { Hint } from '../managed-vm/backend.js'
import type { Glance } from '../managed-vm/observation.js'

/** Asks a host for all its virtual machines. */
export type LookAll = (signal: AbortSignal) => Promise<ReadonlyMap<string, Glance>>

/** Who is told about one virtual machine. */
interface Watcher {
  readonly name: string
  readonly tell: (hint: Hint) => void
}

const notThere: Glance = { power: 'absent', said: 'not there', incarnation: null }

/** Looks at a host's virtual machines in one question for all of them, while anyone wants to know. */
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

  /** Watches a virtual machine until the answer is called. */
  add(name: string, tell: Watcher['tell']): () => void {
    const watcher = { name, tell }
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
      const askedAtMs = performance.now()
      try {
        const found = await this.#look(signal)
        answeredAt = performance.now()
        this.#tell(name => ({ type: 'seen', seen: found.get(name) ?? notThere, askedAtMs }))
      } catch (error) {
        if (!signal.aborted && performance.now() - answeredAt > this.#silenceMs) {
          this.#tell(() => ({ type: 'silent', error: error as Error }))
        }
      }
    }
  }

  #tell(hintOf: (name: string) => Hint): void {
    for (const { name, tell } of [...this.#watchers]) {
      tell(hintOf(name))
    }
  }
}
