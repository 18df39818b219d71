import { type Cause, InfraError } from '../config/errors.js'

/** What kept a test from being carried out: whose fault, why, and whether a new instance may help. */
export interface Trouble {
  readonly cause: Cause
  readonly message: string
  readonly retryable: boolean
}

/** A wrong key, a wrong password, a wrong host key, a wrong product do not become right by trying again. */
const finalCodes: ReadonlySet<string> = new Set(['host-key', 'authentication', 'cancelled', 'identity'])

/** Turns an error into trouble. What is not an InfraError is a fault of the runner, and not tried again. */
export function describeTrouble(error: unknown): Trouble {
  if (error instanceof InfraError) {
    const { cause, code } = error.context
    return { cause, message: error.message, retryable: canRetry(cause) && !finalCodes.has(code) }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { cause: 'runner', message, retryable: false }
}

/** Only trouble of host, network and runner is tried again by itself, on a new instance. */
export function isRetryable({ retryable }: Trouble): boolean {
  return retryable
}

function canRetry(cause: Cause): boolean {
  return cause === 'host' || cause === 'network' || cause === 'runner'
}
