import { InfraError } from '../config/errors.js'
import { limited, untilAborted } from './abort.js'
import { connect } from './connect.js'
import type { Machine } from './machine.js'
import type { ConnectOptions, ConnectTarget } from './target.js'
import { messageOf, refuseCancelled } from './trouble.js'

/** How long to wait between tries, in ms. */
export interface Backoff {
  readonly firstMs: number
  readonly factor: number
  readonly longestMs: number
  /** The part of a wait that is left to chance, from 0 to 1: many guests must not knock in step. */
  readonly jitter: number
}

/** Short at first, as a guest on a fast host is up in seconds. */
export const bootBackoff: Backoff = { firstMs: 200, factor: 1.5, longestMs: 5_000, jitter: 0.3 }

const retriedCodes: ReadonlySet<string> = new Set(['connect', 'handshake', 'lost', 'limit', 'command'])

/** Whether trying again may help: never for a wrong host key, key or password, nor for missing algorithms. */
export function isWorthRetrying(error: unknown): boolean {
  return (
    error instanceof InfraError &&
    retriedCodes.has(error.context.code) &&
    error.context.cause !== 'unknown' &&
    error.context.cause !== 'runner'
  )
}

/** The wait before the n-th retry, from 1. */
export function backoffMs(
  retry: number,
  { firstMs, factor, longestMs, jitter }: Backoff,
  random: () => number = Math.random,
): number {
  const full = Math.min(longestMs, firstMs * factor ** (retry - 1))
  return full * (1 - jitter * random())
}

/** What is done while a guest boots. */
export interface RetryOptions extends Omit<ConnectOptions, 'firstCommand'> {
  /** `null` when the caller's own first command says whether the machine is ready. */
  readonly firstCommand?: string | null
  readonly backoff?: Backoff
  /** Called before each wait, with what went wrong and how long the wait will be. */
  readonly onRetry?: (error: InfraError, waitMs: number) => void
}

/**
 * Connects to a machine that may still be booting: refused and broken connections are tried again
 * until `limits.boot` is reached; a wrong key, password or host key ends it at once. The machine counts
 * as reached when `firstCommand` (`:` if absent) answers, for sshd may be up before the rest is.
 * Throws InfraError; `boot` when the limit was reached, saying what the last try met.
 */
export async function connectWithRetries(
  target: ConnectTarget,
  options: RetryOptions = {},
): Promise<Machine> {
  const { limits } = target
  const { backoff = bootBackoff, onRetry, firstCommand = ':', ...rest } = options
  const once = firstCommand === null ? rest : { ...rest, firstCommand }
  const limit = limited(target.signal, limits.boot)
  let last: InfraError | null = null
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        return await connect({ ...target, signal: limit.signal }, once)
      } catch (error) {
        refuseCancelled(target.signal, target.label, 'connecting')
        if (limit.isReached()) {
          throw bootLimit(target, tries, last ?? error)
        }
        if (!(error instanceof InfraError) || !isWorthRetrying(error)) {
          throw error
        }
        last = error
        const waitMs = backoffMs(tries, backoff)
        onRetry?.(error, waitMs)
        await untilAborted(waitMs, limit.signal)
      }
    }
  } finally {
    limit.release()
  }
}

function bootLimit({ label, limits }: ConnectTarget, tries: number, last: unknown): InfraError {
  const count = tries === 1 ? 'one try' : `${tries} tries`
  const what = `${label}: not reached within the limit "boot" of ${limits.boot} ms, in ${count}; last: ${messageOf(last)}`
  const cause = last instanceof InfraError && last.context.cause === 'guest' ? 'guest' : 'network'
  return new InfraError(what, { cause, where: label, code: 'boot', limit: 'boot' })
}
