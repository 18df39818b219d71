import { InfraError } from '../config/errors.js'
import { onAbort } from '../remote/index.js'

const unreachedCodes: ReadonlySet<string> = new Set(['connect', 'handshake', 'host-key', 'authentication'])

/** Work on a host that may be given up before it has ended: what it made in the end must still be found. */
export class Begun<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>
  #result: Promise<T | null> | null = null
  #failure: unknown = null

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work
  }

  begin(signal: AbortSignal): Promise<T> {
    const working = this.#work(signal)
    this.#result = working.catch((error: unknown) => {
      this.#failure = error
      return null
    })
    return working
  }

  /** True when it failed before the host was reached: then it made nothing. */
  neverReached(): boolean {
    return this.#failure instanceof InfraError && unreachedCodes.has(this.#failure.context.code)
  }

  /**
   * What it made, once it has ended; `null` when it made nothing that is known. Throws the signal's reason when it
   * does not end: then nobody knows what it still does.
   */
  async settled(signal: AbortSignal): Promise<T | null> {
    let ignore = (): void => {}
    const ended = new Promise<never>((_, reject) => {
      ignore = onAbort(signal, () => reject(signal.reason))
    })
    ended.catch(() => {})
    try {
      return await Promise.race([this.#result ?? null, ended])
    } finally {
      ignore()
    }
  }
}
