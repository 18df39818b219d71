import type { Bytes } from '../files/bytes.js'
import type { Process } from '../system/process.js'
import type { ShellFlavour } from '../system/system.js'
import type { CommandNode, StatementNode } from './ast.js'
import type { Shell } from './shell.js'

/** A command that the shell carries out itself. */
export interface Builtin {
  run(shell: Shell, args: Bytes[]): Promise<number> | number
  /** True for `exec`: without arguments its redirections stay. */
  readonly keepsRedirections?: boolean
  /** Known only to bash. */
  readonly bashOnly?: boolean
}

/** What carries out the commands of a shell. Shells and builtins reach it here, since they call each other in a circle. */
export interface Engine {
  runStatements(shell: Shell, statements: readonly StatementNode[]): Promise<void>
  runCommand(shell: Shell, command: CommandNode): Promise<void>
  /** Runs words that are already expanded as a command, without looking for functions. */
  runWords(shell: Shell, argv: readonly Bytes[]): Promise<number>
  /** Finds and runs a program in the given process; says so when there is none. */
  start(
    shell: Shell,
    process: Process,
    path: Bytes,
    argv: readonly Bytes[],
    env: ReadonlyMap<Bytes, Bytes>,
    /** True where the `exec` builtin asks. */
    exec?: boolean,
  ): Promise<number>
  builtin(name: Bytes, flavour: ShellFlavour): Builtin | undefined
  isSpecial(name: Bytes): boolean
}
