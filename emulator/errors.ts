/** Where in a file a mistake stands. `line` and `column` count from 1. */
interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** One mistake in a persona's file. */
export interface Mistake {
  readonly place: Place
  readonly message: string
}

/** What is asked for does not exist, such as a persona. The process exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Persona files with mistakes; all of them are listed. The process exits with 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(mistakes: readonly Mistake[]) {
    super(
      mistakes
        .map(({ place, message }) => `${place.file}:${place.line}:${place.column}: ${message}`)
        .join('\n'),
    )
  }
}

/** A bug of the emulator, or a machine without what it needs. The process exits with 4. */
export class InternalError extends Error {
  override readonly name = 'InternalError'
}
