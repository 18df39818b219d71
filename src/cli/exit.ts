import { ConfigError, InfraError, InternalError, UsageError } from '../config/errors.js'
import type { ExitCode } from '../journal/exit.js'

/** What is printed for an error, and how the program ends. */
export interface ErrorOutcome {
  readonly code: ExitCode
  readonly lines: readonly string[]
}

/**
 * What an error comes to. The four kinds that are foreseen print what they say; anything else is a
 * bug. `verbose` adds the stack and the causes.
 */
export function outcomeOf(error: unknown, verbose: boolean): ErrorOutcome {
  const stack = verbose ? stackOf(error) : []
  // A mistake in a file begins with its place, where editors look for it.
  if (error instanceof ConfigError) return { code: 2, lines: [...error.message.split('\n'), ...stack] }
  if (error instanceof UsageError) return { code: 2, lines: [named(error), ...stack] }
  if (error instanceof InfraError) {
    return { code: error.context.code === 'cancelled' ? 130 : 3, lines: [named(error), ...stack] }
  }
  if (error instanceof InternalError) return { code: 4, lines: [named(error), ...stack] }
  return { code: 4, lines: bugLines(error, verbose) }
}

function bugLines(error: unknown, verbose: boolean): string[] {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return [
    `guestcert: this is a bug in guestcert: ${what.replaceAll('\n', ' ')}`,
    ...(verbose ? stackOf(error) : []),
    verbose
      ? 'Please report it with these lines.'
      : 'Please report it with what the same command prints with --verbose.',
  ]
}

function named(error: Error): string {
  return `guestcert: ${error.message}`
}

function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const own = (error.stack ?? '').split('\n')
  return error.cause === undefined ? own : [...own, 'caused by:', ...causeLines(error.cause)]
}

function causeLines(cause: unknown): string[] {
  return cause instanceof Error ? stackOf(cause) : [String(cause)]
}
