import { InternalError } from '../config/errors.js'
import type { Redactor } from '../text/redactor.js'

/** A command line that has been checked against its command. */
export interface ParsedArgs {
  /** The command as it is typed, e.g. `lab build`. */
  readonly command: string
  /** Values of positional arguments, by their names in capitals. */
  readonly arguments: ReadonlyMap<string, readonly string[]>
  /** Values of flags by name, defaults included; a switch that is set has none. */
  readonly flags: ReadonlyMap<string, readonly string[]>
}

/** The streams and surroundings that a command works in. */
export interface CommandIo {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly signal?: AbortSignal
  /** What is kept out of both streams, and of files: the secrets of the lab that was read. */
  readonly redaction?: Redaction
}

/** The redactor of a command; it keeps nothing until a lab was read. */
export interface Redaction {
  redactor: Redactor
}

/** A stream that text is written to; a terminal says that it is one, and how wide. */
export interface OutputStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  /** Of a terminal: its bottom, which can be redrawn in place. */
  readonly window?: LiveWindow
}

/** The bottom of a terminal: see `screen.ts`. Whatever is drawn there is as safe as what is written. */
export interface LiveWindow {
  open(draw: (size: { readonly columns: number; readonly rows: number }) => readonly string[]): void
  touch(): void
  close(): void
}

/** What every command's file exports. */
export interface CommandModule {
  run(args: ParsedArgs, io: CommandIo): Promise<number>
}

/** Whether a switch is set. */
export function isSet(args: ParsedArgs, flag: string): boolean {
  return args.flags.has(flag)
}

/** The last value of a flag, or its default. */
export function textFlag(args: ParsedArgs, flag: string): string | undefined {
  return args.flags.get(flag)?.at(-1)
}

/** Every value of a repeatable flag. */
export function listFlag(args: ParsedArgs, flag: string): readonly string[] {
  return args.flags.get(flag) ?? []
}

/** The value of a flag of kind `count`. */
export function countFlag(args: ParsedArgs, flag: string): number | undefined {
  const text = textFlag(args, flag)
  return text === undefined ? undefined : Number(text)
}

/** The value of an argument; `undefined` when it is optional and not there. */
export function argument(args: ParsedArgs, name: string): string | undefined {
  return args.arguments.get(name)?.at(0)
}

/** The value of an argument that parsing has seen to. */
export function requiredArgument(args: ParsedArgs, name: string): string {
  const value = argument(args, name)
  if (value === undefined) throw new InternalError(`${args.command} was begun without its ${name}`)
  return value
}

/** What `--color` and `--no-color` say, if they say anything. */
export function colorFlag(args: ParsedArgs): boolean | undefined {
  if (isSet(args, 'no-color')) return false
  return isSet(args, 'color') ? true : undefined
}
