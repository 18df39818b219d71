import { InfraError } from '../../config/errors.js'
import type { GuestConsole } from '../driver.js'
import { ConsoleScanner } from './scanner.js'

/** How a console is read. */
export interface ConsoleSource {
  /** The instance, for messages. */
  readonly where: string
  /** What was written since the last time; empty when nothing was. May throw: then it is read again later. */
  readonly read: (signal: AbortSignal) => Promise<Buffer>
  /** Between two readings, in ms. */
  readonly everyMs: number
}

/** What a console told this shortly before is the same crash, in ms. */
const sameCrashMs = 10_000

/** A console that is read, until it is closed. */
export interface WatchedConsole extends GuestConsole {
  /** Tells of a crash that the host knows of; nothing when the console has told of one itself. */
  tell(what: string): Promise<void>
  close(): void
}

/** Reads a console again and again, and tells of every crash that is seen on it. */
export function watchConsole({ where, read, everyMs }: ConsoleSource): WatchedConsole {
  const listeners = new Set<(error: InfraError) => void>()
  const closed = new AbortController()
  let first: InfraError | null = null
  let lastAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> = Promise.resolve()
  const tellAll = (what: string): void => {
    const error = new InfraError(`${where}: ${what}`, { cause: 'guest', where, code: 'lost' })
    lastAt = performance.now()
    first ??= error
    for (const listener of [...listeners]) {
      listener(error)
    }
  }
  const scanner = new ConsoleScanner(({ name, line }) => tellAll(`${name} on the console: ${line}`))
  const readOnce = async (signal: AbortSignal): Promise<void> => {
    const bytes = await read(signal)
    if (bytes.length === 0) {
      scanner.flush()
    } else {
      scanner.push(bytes)
    }
  }
  /** One reading at a time: each begins where the last one ended. */
  const look = (signal: AbortSignal): Promise<void> => {
    const mine = reading.then(() => (closed.signal.aborted ? undefined : readOnce(signal)))
    reading = mine.catch(() => {})
    return mine
  }
  let isLooking = false
  const timer = setInterval(() => {
    if (!isLooking) {
      isLooking = true
      void look(closed.signal)
        // A console that cannot be read is not a reason to lose a guest; what is wrong with the host is seen elsewhere.
        .catch(() => {})
        .finally(() => {
          isLooking = false
        })
    }
  }, everyMs)
  timer.unref()
  return {
    look,
    onCrash: listener => {
      listeners.add(listener)
      if (first !== null) {
        listener(first)
      }
      return () => listeners.delete(listener)
    },
    tell: async what => {
      await look(closed.signal).catch(() => {})
      if (performance.now() - lastAt > sameCrashMs && !closed.signal.aborted) {
        tellAll(what)
      }
    },
    close: () => {
      clearInterval(timer)
      closed.abort()
    },
  }
}
