/** Where in a file a mistake stands. `line` and `column` count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** One mistake in a file, ready to be shown: what was found and what was expected. */
export interface Mistake {
  readonly place: Place
  readonly message: string
}

/** The command line or the choice cannot be carried out. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** One or more files hold mistakes; all of them are listed. Exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly mistakes: readonly Mistake[]

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(formatMistake).join('\n'))
    this.mistakes = mistakes
  }
}

/** Whose fault it is that a test could not be carried out or did not hold. */
export type Cause = 'guest' | 'host' | 'network' | 'runner' | 'test' | 'unknown'

/** What was being attempted when an {@link InfraError} came. */
export interface InfraContext {
  /** Whose fault it is. */
  readonly cause: Exclude<Cause, 'test'>
  /** The host, guest or address it happened to. */
  readonly where: string
  /** The named limit that was reached, if one was. */
  readonly limit?: string
  /** A stable word for programs: `host-key`, `authentication`, `connect`, `lost`, … */
  readonly code: InfraCode
}

/** The kinds of infrastructure trouble, stable for programs. */
export type InfraCode =
  | 'connect'
  | 'handshake'
  | 'host-key'
  | 'authentication'
  | 'lost'
  | 'limit'
  | 'command'
  | 'transfer'
  | 'boot'
  | 'driver'
  | 'capacity'
  | 'identity'
  | 'lease'
  | 'reboot'
  | 'cancelled'

/** A host, a guest, the network or the runner did not do its part. */
export class InfraError extends Error {
  override readonly name = 'InfraError'
  readonly context: InfraContext

  constructor(message: string, context: InfraContext, options?: ErrorOptions) {
    super(message, options)
    this.context = context
  }
}

/** A bug of ours, or a report that could not be written. Exit code 4. */
export class InternalError extends Error {
  override readonly name = 'InternalError'
}

/** `file:line:column: message`, as editors and terminals understand it. */
export function formatMistake({ place, message }: Mistake): string {
  return `${place.file}:${place.line}:${place.column}: ${message}`
}
