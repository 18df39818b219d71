import { InfraError } from '../config/errors.js'
import { deadlineSignal } from '../deadline/deadline.js'
import { untilAborted } from '../deadline/signals.js'
import { RefusedLogin } from './authentication.js'
import { connectToFirst, type Failure, furthest } from './candidates.js'
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
/** Slower: servers count refused log-ins, and punish who repeats them quickly. */
export const refusalBackoff: Backoff = { firstMs: 500, factor: 1.5, longestMs: 15_000, jitter: 0.2 }
/** Rounds in which a wrong host key is met at an address that was looked up, before it is believed. */
const mostWrongKeys = 6

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
  readonly refusalBackoff?: Backoff
  /**
   * For how many ms refused log-ins are tried again, from the first of them: a guest that boots may get its users and
   * keys after its SSH server has begun to answer. 0, if absent: a refusal is final.
   */
  readonly refusalsMs?: number
  /** Called before each wait, with what went wrong and how long the wait will be. */
  readonly onRetry?: (error: InfraError, waitMs: number) => void
}

/** A machine that is looked for at one or several addresses. */
export interface Search {
  /** What messages call it while no address is known. */
  readonly label: string
  readonly limits: ConnectTarget['limits']
  readonly signal: AbortSignal
  /** Where it may be now, the likeliest first; asked before every round. Throws InfraError while nothing is known. */
  readonly find: (signal: AbortSignal) => Promise<readonly ConnectTarget[]>
  /** True when the addresses were looked up: another machine may answer at one that is out of date. */
  readonly mayMove: boolean
  /** What of the limit "boot" is left, where bringing the machine up has used a part; all of it if absent. */
  readonly bootLeftMs?: number
}

/** {@link connectToAny} for a machine with one address. */
export function connectWithRetries(target: ConnectTarget, options: RetryOptions = {}): Promise<Machine> {
  const { label, limits, signal } = target
  const find = async (until: AbortSignal): Promise<ConnectTarget[]> => [{ ...target, signal: until }]
  return connectToAny({ label, limits, signal, find, mayMove: false }, options)
}

/**
 * Connects to a machine that may still be booting: refused and broken connections are tried again
 * until `limits.boot` is reached, at every address that is known by then; refused log-ins for as long as the
 * options say; a wrong host key ends it at once. The machine counts as reached when `firstCommand`
 * (`:` if absent) answers, for sshd may be up before the rest is. Throws InfraError; `boot` when the limit was
 * reached, saying what was met last at each address.
 */
export async function connectToAny(search: Search, options: RetryOptions = {}): Promise<Machine> {
  const { label, limits, signal } = search
  const { backoff = bootBackoff, refusalBackoff: slow = refusalBackoff, refusalsMs = 0 } = options
  const { onRetry, firstCommand = ':', ...rest } = options
  const once: ConnectOptions = firstCommand === null ? rest : { ...rest, firstCommand }
  const limit = deadlineSignal({
    name: 'boot',
    ms: limits.boot,
    leftMs: search.bootLeftMs ?? limits.boot,
    where: label,
    signal,
  })
  const met = new Met(search)
  try {
    for (;;) {
      const failures = await round(search, once, limit.signal)
      if (!Array.isArray(failures)) {
        return failures
      }
      refuseCancelled(signal, label, 'connecting')
      const ownWords = failures.filter(({ error }) => codeOf(error) !== 'cancelled')
      if (!limit.isReached() || ownWords.length > 0 || met.rounds === 0) {
        met.take(limit.isReached() && ownWords.length > 0 ? ownWords : failures)
      }
      if (limit.isReached()) {
        throw met.limitReached()
      }
      const error = met.refuseFinal(failures, refusalsMs)
      const waitMs =
        error instanceof RefusedLogin ? backoffMs(met.refusals, slow) : backoffMs(met.rounds, backoff)
      onRetry?.(error, waitMs)
      await untilAborted(waitMs, limit.signal)
    }
  } finally {
    limit.clear()
  }
}

/** One round over all addresses; the failures at each when none was reached. */
async function round(
  { find, label }: Search,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Machine | Failure[]> {
  let targets: readonly ConnectTarget[]
  try {
    targets = await find(signal)
  } catch (error) {
    if (!(error instanceof InfraError) && !signal.aborted) {
      throw error
    }
    return [{ label, error }]
  }
  const error = new InfraError(`${label}: no address is known yet`, {
    cause: 'network',
    where: label,
    code: 'connect',
  })
  return targets.length === 0 ? [{ label, error }] : connectToFirst(targets, options, signal)
}

/** What was met so far. */
class Met {
  readonly #search: Search
  /** The last failure at each address. */
  readonly #last = new Map<string, unknown>()
  #worst: unknown = null
  #refusedSince: number | null = null
  #wrongKeys = 0
  rounds = 0
  refusals = 0

  constructor(search: Search) {
    this.#search = search
  }

  take(failures: readonly Failure[]): void {
    this.rounds += 1
    for (const { label, error } of failures) {
      this.#last.set(label, error)
    }
    this.#worst = furthest(failures)
    const isRefused = isRefusal(this.#worst)
    this.refusals = isRefused ? this.refusals + 1 : 0
    this.#refusedSince = isRefused ? (this.#refusedSince ?? performance.now()) : null
    this.#wrongKeys = codeOf(this.#worst) === 'host-key' ? this.#wrongKeys + 1 : 0
  }

  /** Throws what no further try can mend; else returns what is to be said of this round. */
  refuseFinal(failures: readonly Failure[], refusalsMs: number): InfraError {
    const worst = this.#worst
    if (worst instanceof RefusedLogin || isAnswer(worst)) {
      const sinceMs = performance.now() - (this.#refusedSince ?? performance.now())
      const mayPass = !(worst instanceof RefusedLogin) || worst.mayPass
      const isPatient = refusalsMs > 0 || !(worst instanceof RefusedLogin)
      if (!mayPass || !isPatient || (refusalsMs > 0 && sinceMs >= refusalsMs)) {
        throw this.refusals < 2 ? worst : this.#repeated(worst, sinceMs)
      }
      return worst
    }
    const mayBeAnother =
      this.#search.mayMove && codeOf(worst) === 'host-key' && this.#wrongKeys < mostWrongKeys
    const retried = failures.find(({ error }) => isWorthRetrying(error))?.error
    if (retried instanceof InfraError) {
      return retried
    }
    if (mayBeAnother && worst instanceof InfraError) {
      return worst
    }
    throw failures.length > 1 && worst instanceof InfraError
      ? new InfraError(this.#everywhere(`${this.#search.label}: not reached at any address`), worst.context)
      : worst
  }

  limitReached(): InfraError {
    const { label, limits, mayMove } = this.#search
    const last = this.#worst
    if (last instanceof RefusedLogin) {
      return this.#repeated(last, limits.boot)
    }
    const count = this.rounds === 1 ? 'one try' : `${this.rounds} tries`
    const what = `${label}: not reached within the limit "boot" of ${limits.boot} ms, in ${count}`
    const answered = [...this.#last.values()].some(error => codeOf(error) !== 'connect')
    const cause = last instanceof InfraError && last.context.cause === 'guest' ? 'guest' : 'network'
    // At addresses that were looked up and where nobody answers, it is not certain that the guest was asked at all.
    const code = mayMove && !answered ? 'connect' : 'boot'
    const context = { cause, where: label, code, limit: 'boot' } as const
    return new InfraError(this.#everywhere(what), context, { cause: last })
  }

  #everywhere(what: string): string {
    const words = [...this.#last].map(([at, error]) => {
      const said = messageOf(error)
      return this.#last.size === 1 || said.startsWith(at) ? said : `${at}: ${said}`
    })
    return `${what}; last: ${words.join('; ')}`
  }

  #repeated(error: InfraError, ms: number): InfraError {
    const what = `${error.message}; tried ${this.refusals} times in ${Math.round(ms / 1000)} s`
    return error instanceof RefusedLogin
      ? new RefusedLogin(error.context.where, what.slice(error.context.where.length + 2), error.mayPass)
      : new InfraError(what, error.context)
  }
}

/** The machine was reached, and said no: to the log-in, or by another answer to the first command. */
function isRefusal(error: unknown): boolean {
  return error instanceof RefusedLogin || isAnswer(error)
}

function isAnswer(error: unknown): error is InfraError {
  return codeOf(error) === 'command' && isWorthRetrying(error)
}

function codeOf(error: unknown): string | null {
  return error instanceof InfraError ? error.context.code : null
}
