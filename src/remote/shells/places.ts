import pLimit from 'p-limit'
import { InfraError } from '../../config/errors.js'
import { untilAborted } from '../../deadline/signals.js'

/** The server opened no channel, or would not start the command on it: nothing of the command has run. */
export class RefusedChannel extends InfraError {
  constructor(where: string, said: string) {
    super(`${where}: the SSH server did not start the command: ${said}`, {
      cause: 'guest',
      where,
      code: 'command',
    })
  }
}

/** More channels at once than the server opens: it is queued again. */
class TooMany extends Error {}

/** How long a refused channel is tried again, and who may end that. */
export interface PlacesOptions {
  /** Commands at once. */
  readonly channels: number
  /** The limit `channel`, in ms. */
  readonly limitMs: number
  /** The connection's own end. */
  readonly lost: AbortSignal
  /** Lets go of channels that are held and not used at the moment; called when one was refused. */
  readonly makeRoom?: () => void
}

const [firstPauseMs, longestPauseMs, growth] = [20, 1_000, 1.6]

/**
 * The channels of one connection. A server may allow fewer than are usual, down to one (`MaxSessions` of OpenSSH), counts
 * those that it has not yet closed itself, and may refuse one for no reason that is told (dropbear). So a refused
 * channel is tried again: with fewer at once while others are open, and for a limited time while none is.
 */
export class ChannelPlaces {
  readonly #options: PlacesOptions
  readonly #inTurn: ReturnType<typeof pLimit>
  #running = 0

  constructor(options: PlacesOptions) {
    this.#options = options
    this.#inTurn = pLimit(options.channels)
  }

  /** Commands at once. */
  get atOnce(): number {
    return this.#inTurn.concurrency
  }

  /** Runs work that opens a channel when its turn comes; again when the channel was refused. Throws what the work throws. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const queueBehindOthers = (): void => {
      if (this.#running > 0) {
        this.#inTurn.concurrency = Math.max(1, this.#inTurn.concurrency - 1)
        throw new TooMany()
      }
    }
    for (;;) {
      try {
        return await this.#inTurn(() => this.#patiently(() => this.#counted(work), signal, queueBehindOthers))
      } catch (error) {
        if (!(error instanceof TooMany)) {
          throw error
        }
      }
    }
  }

  /**
   * The same for work whose channel stays open, such as that of a service: it takes no place, and waits within the limit
   * `channel` while commands run, too.
   */
  async hold<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#patiently(work, signal, () => {})
  }

  /** `refused` throws to end it. */
  async #patiently<T>(
    work: () => Promise<T>,
    signal: AbortSignal | undefined,
    refused: () => void,
  ): Promise<T> {
    const { limitMs, lost, makeRoom } = this.#options
    const startedAt = performance.now()
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * growth)) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof RefusedChannel)) {
          throw error
        }
        refused()
        makeRoom?.()
        if (performance.now() - startedAt >= limitMs) {
          throw new InfraError(`${error.message}; tried again within the limit "channel" of ${limitMs} ms`, {
            ...error.context,
            limit: 'channel',
          })
        }
      }
      await untilAborted(pauseMs, lost, ...(signal === undefined ? [] : [signal]))
    }
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1
    try {
      return await work()
    } finally {
      this.#running -= 1
    }
  }
}
