import type { Exit } from '../journal/events.js'

/** Where the bytes of one output stream go as they come. Resolves when the next may come: back-pressure. */
export type Sink = (chunk: Buffer) => Promise<void> | void

/** How one command is run. */
export interface RunOptions {
  readonly signal?: AbortSignal
  /** Limit for the whole command in ms; `limits.command` if absent. */
  readonly limitMs?: number
  /** The limit's name in errors and results: `command`, `test`, … */
  readonly limitName?: string
  /** Written to standard input, then closed. Without it standard input is closed at once. */
  readonly stdin?: Buffer | NodeJS.ReadableStream
  /** Environment of the command; nothing else is inherited but what login sets. */
  readonly env?: Readonly<Record<string, string>>
  /** Every chunk of standard output, before it is counted against the size limit. */
  readonly onStdout?: Sink
  readonly onStderr?: Sink
  /** Bytes of each stream kept in the result; `limits.output` if absent. */
  readonly keepBytes?: number
}

/** What one stream gave. */
export interface Output {
  readonly text: string
  readonly bytes: Buffer
  /** Bytes that came in all. */
  readonly totalBytes: number
  /** True when more came than was kept: then nothing may be concluded from its end. */
  readonly truncated: boolean
}

/**
 * What became of one command that began: its own first line proves it. There is none for a command that did not, since
 * what was answered in its place is neither its output nor its status.
 */
export interface CommandResult {
  /** `code` only when our line behind the output and the SSH server agree on it. */
  readonly exit: Exit
  readonly stdout: Output
  readonly stderr: Output
  /** Monotonic ms from request to settlement. */
  readonly durationMs: number
  /** True when the streams were not closed within the drain limit after the exit, or not on a living connection. */
  readonly undrained: boolean
}

/** A machine over SSH with a POSIX shell: one connection, several channels within its bound. */
export interface Machine {
  /** What messages call it. */
  readonly label: string
  /** `SHA256:…` of the key that the other side proved. */
  readonly hostKey: string
  /** Aborts, with an InfraError as its reason, when the connection is lost or was closed. */
  readonly lost: AbortSignal
  /** How many commands it runs at once, as far as is known: fewer after its server has refused a channel. */
  readonly channels: number
  /** Runs a POSIX shell command line; throws InfraError when there is no proof that it began. */
  run(command: string, options?: RunOptions): Promise<CommandResult>
  /** Opens a TCP connection from the machine to `host:port`. */
  forward(host: string, port: number): Promise<import('node:stream').Duplex>
  close(): Promise<void>
}
