import { InfraError } from '../config/errors.js'
import { backoffMs, bootBackoff, untilAborted } from '../remote/index.js'

/** Servers that drop a connection now and then (dropbear) seldom drop three in a row. */
const mostTries = 4

/**
 * Carries something out again, after a growing pause, when its connection was dropped: closed while it was made, or
 * lost later. `wasLost` says so of failures that do not. Everything else is final. Throws what the last try threw.
 */
export async function retryDropped<T>(
  work: () => Promise<T>,
  wasLost: () => boolean | Promise<boolean>,
  signal: AbortSignal,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (tries === mostTries || signal.aborted || !(isDropped(error) || (await wasLost()))) {
        throw error
      }
      await untilAborted(backoffMs(tries, bootBackoff), signal)
    }
  }
}

/** The other side was there, and hung up. */
function isDropped(error: unknown): boolean {
  if (!(error instanceof InfraError)) return false
  const { code, cause, limit } = error.context
  return limit === undefined && (code === 'lost' || (code === 'handshake' && cause === 'network'))
}
