import { InfraError } from '../config/errors.js'
import { Redactor } from '../text/redactor.js'
import { weakness } from '../text/weakness.js'

const longestPeerText = 200

/**
 * Text that the other side chose, made fit for a message of ours: one line, no control characters,
 * cut to size.
 */
export function peerText(text: string, longest: number = longestPeerText): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ').trim()
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

/** Replaces every secret in a text. */
export type Scrub = (text: string) => string

/** Makes the function that keeps these secrets out of messages, but for those that this would tell (see `weakness`). */
export function scrubber(secrets: readonly string[], names: readonly string[]): Scrub {
  const redactor = new Redactor(secrets.filter(secret => weakness(secret, names) === null))
  return text => redactor.text(text)
}

/** The same error without the secrets. Nothing that could carry them (`cause`, `stack`) is kept. */
export function scrubbed(error: unknown, scrub: Scrub): unknown {
  if (!(error instanceof InfraError)) {
    return error
  }
  const clean = new InfraError(scrub(error.message), error.context)
  return clean.message === error.message ? error : clean
}

/** What an unknown thrown value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Cancelled by the runner; nothing is wrong with the machine. */
export function cancelled(where: string, what: string): InfraError {
  return new InfraError(`${where}: ${what} was cancelled`, { cause: 'runner', where, code: 'cancelled' })
}

/** Throws when the signal has already aborted. */
export function refuseCancelled(signal: AbortSignal | undefined, where: string, what: string): void {
  if (signal?.aborted === true) {
    throw cancelled(where, what)
  }
}
