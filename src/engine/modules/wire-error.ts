import { inspect } from 'node:util'
import { type InfraContext, InfraError } from '../../config/errors.js'

/** An error as it travels between a module and the runner. */
export interface WireError {
  /** The class, as the error itself names it; '' for what is not an error. */
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string
  /** Of an {@link InfraError}. */
  readonly context?: InfraContext
  readonly cause?: WireError
}

const deepestCause = 8
const builtin: Readonly<Record<string, new (message: string, options?: ErrorOptions) => Error>> = {
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  EvalError,
}

/** Takes down whatever was thrown. Never throws. */
export function encodeError(thrown: unknown, depth = 0): WireError {
  if (!(thrown instanceof Error)) {
    return { name: '', message: typeof thrown === 'string' ? thrown : inspect(thrown) }
  }
  const { cause, code } = thrown as Error & { code?: unknown }
  const context = thrown instanceof InfraError ? { context: thrown.context } : {}
  return {
    name: String(thrown.name),
    message: String(thrown.message),
    ...(typeof thrown.stack === 'string' ? { stack: thrown.stack } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause === undefined || depth >= deepestCause ? {} : { cause: encodeError(cause, depth + 1) }),
    ...context,
  }
}

/** Makes an error of the same class, text and cause again. */
export function decodeError({ name, message, code, context, cause }: WireError): Error {
  const options = cause === undefined ? {} : { cause: decodeError(cause) }
  if (context !== undefined) {
    return new InfraError(message, context, options)
  }
  const Class = builtin[name] ?? Error
  const error = new Class(message, options)
  if (name !== '' && error.name !== name) {
    Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  }
  return code === undefined ? error : Object.assign(error, { code })
}

/** `TypeError: text (because of: …)`, on one line for a reason. */
export function describeError({ name, message, cause }: WireError): string {
  const own = name === '' || name === 'Error' ? message : `${name}: ${message}`
  return cause === undefined ? own : `${own} (cause: ${describeError(cause)})`
}
