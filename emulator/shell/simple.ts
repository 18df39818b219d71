import type { Bytes } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import { Killed, type Process } from '../system/process.js'
import { execute, findCommand } from '../system/programs.js'
import { runToEnd, statusCode } from '../system/run-to-end.js'
import type { AssignmentNode, FunctionNode, SimpleCommandNode } from './ast.js'
import { Exit, Return, ShellError } from './control.js'
import type { Builtin } from './engine.js'
import { expandToText, expandWords } from './expand.js'
import { type Redirected, RedirectionError, redirect } from './redirect.js'
import type { Shell } from './shell.js'

/**
 * Runs a simple command: assignments, redirections, and a builtin, a function or a program. With `mayBecome`, the
 * shell's own process becomes the program, as shells do with their last command.
 */
export async function runSimple(shell: Shell, command: SimpleCommandNode, mayBecome: boolean): Promise<void> {
  shell.substitutionStatus = undefined
  const words = command.name ? [command.name, ...command.args] : command.args
  const argv = await expandWords(shell, words)
  if (shell.options.has('n')) return
  const [name, ...args] = argv
  if (command.line) shell.variables.set('LINENO', String(command.line))
  if (name === undefined) return withoutName(shell, command)
  if (shell.options.has('x')) await trace(shell, argv)
  const special = shell.engine.isSpecial(name)
  const definition = special ? undefined : shell.functions.get(name)
  const builtin = shell.engine.builtin(name, shell.flavour)
  if (definition) return runFunction(shell, command, definition, args)
  if (builtin) return runBuiltin(shell, command, builtin, args, special)
  await runExternal(shell, command, argv, mayBecome && !shell.traps.has('EXIT'))
}

async function trace(shell: Shell, argv: readonly Bytes[]): Promise<void> {
  const prompt = shell.variables.get('PS4') ?? '+ '
  await shell.write(2, `${prompt}${argv.map(quoteForTrace).join(' ')}\n`)
}

function quoteForTrace(word: Bytes): Bytes {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`
}

/** Assignments without a command change the shell itself. */
async function withoutName(shell: Shell, command: SimpleCommandNode): Promise<void> {
  try {
    const redirected = await redirect(shell, command.redirections)
    redirected.undo()
  } catch (error) {
    shell.status = await report(shell, error)
    return
  }
  await assign(shell, command.assignments)
  shell.status = shell.substitutionStatus ?? 0
}

async function assign(shell: Shell, assignments: readonly AssignmentNode[]): Promise<void> {
  for (const { name, value, append, array } of assignments) {
    if (array) throw new ShellError('Syntax error: "(" unexpected', 2)
    const text = value ? await expandToText(shell, value) : ''
    shell.variables.set(name, append ? `${shell.variables.get(name) ?? ''}${text}` : text)
  }
}

/** Sets variables for one command and exports them to it; gives what takes them back. */
async function assignFor(shell: Shell, assignments: readonly AssignmentNode[]): Promise<() => void> {
  const restore = shell.variables.save(assignments.map(({ name }) => name))
  try {
    await assign(shell, assignments)
  } catch (error) {
    restore()
    throw error
  }
  for (const { name } of assignments) shell.variables.mark(name, 'exported')
  return restore
}

async function runBuiltin(
  shell: Shell,
  command: SimpleCommandNode,
  builtin: Builtin,
  args: Bytes[],
  special: boolean,
): Promise<void> {
  let redirected: Redirected
  try {
    redirected = await redirect(shell, command.redirections)
  } catch (error) {
    shell.status = await report(shell, error)
    if (special && shell.flavour === 'dash') throw new Exit(2)
    return
  }
  // Of `exec` the redirections stay; of special builtins the assignments do.
  if (builtin.keepsRedirections) redirected.keep()
  const restore = await assignFor(shell, command.assignments)
  try {
    shell.status = await builtin.run(shell, args)
  } catch (error) {
    if (!(error instanceof ShellError)) shell.status = await report(shell, error)
    else {
      // Told while the command's own redirections still hold.
      await shell.complain(error.message)
      if (special) throw new Exit(error.status)
      shell.status = error.status
    }
  } finally {
    if (!special || shell.flavour === 'bash') restore()
    redirected.undo()
  }
}

async function runFunction(
  shell: Shell,
  command: SimpleCommandNode,
  definition: FunctionNode,
  args: Bytes[],
): Promise<void> {
  let redirected: Redirected
  try {
    redirected = await redirect(shell, [...command.redirections, ...definition.redirections])
  } catch (error) {
    shell.status = await report(shell, error)
    return
  }
  const restore = await assignFor(shell, command.assignments)
  const { positional } = shell
  shell.positional = args
  shell.variables.openScope()
  shell.functionDepth++
  if (shell.functionDepth > 1000) throw new ShellError('maximum function recursion depth exceeded', 2)
  try {
    await shell.engine.runCommand(shell, definition.body)
  } catch (error) {
    if (!(error instanceof Return)) throw error
    shell.status = error.status
  } finally {
    shell.functionDepth--
    shell.variables.closeScope()
    shell.positional = positional
    restore()
    redirected.undo()
  }
}

async function runExternal(
  shell: Shell,
  command: SimpleCommandNode,
  argv: readonly Bytes[],
  inPlace: boolean,
): Promise<void> {
  const { system } = shell
  const restore = await assignFor(shell, command.assignments)
  const env = shell.variables.environment()
  const path = shell.variables.get('PATH') ?? ''
  restore()
  const { process } = shell
  const child = inPlace
    ? process
    : system.processes.spawn({ parent: process, argv, environ: env, files: process.files.fork() })
  try {
    const redirected = await redirect(shell, command.redirections, child)
    redirected.keep()
  } catch (error) {
    if (!inPlace) child.end({ code: 1 })
    shell.status = await report(shell, error)
    return
  }
  if (inPlace) {
    process.onSignal = undefined
    throw new Exit(await start(shell, process, path, argv, env), false)
  }
  const ended = runToEnd(child, () => start(shell, child, path, argv, env))
  shell.status = statusCode(await process.whileAlive(ended))
}

/** Finds and runs a program in the given process; says so when there is none. */
export async function start(
  shell: Shell,
  process: Process,
  path: Bytes,
  argv: readonly Bytes[],
  env: ReadonlyMap<Bytes, Bytes>,
  exec = false,
): Promise<number> {
  const [name = ''] = argv
  const found = findCommand(shell.system, process, name, path)
  const complain = async (text: string): Promise<void> => {
    await process.files
      .get(2)
      ?.write(Buffer.from(`${shell.complaintPrefix}${text}\n`, 'latin1'), process.signal)
  }
  if ('status' in found) {
    const missing = shell.flavour === 'dash' || exec ? 'not found' : 'command not found'
    await complain(`${exec ? 'exec: ' : ''}${name}: ${found.reason === 'not found' ? missing : found.reason}`)
    return found.status
  }
  try {
    return await execute(shell.system, process, found.path, argv, env)
  } catch (error) {
    if (!(error instanceof SystemError) || !error.message.includes('execve')) throw error
    await complain(`${name}: ${describe(error)}`)
    return 126
  }
}

/**
 * Tells of an error that does not end the shell, and gives the status it leaves: a redirection or a builtin that
 * failed. Anything else is thrown on.
 */
export async function report(shell: Shell, error: unknown): Promise<number> {
  if (error instanceof SystemError) {
    if (error.code === 'EPIPE' && shell.process.signal.aborted) throw new Killed('PIPE')
    await shell.complain(error.path === '' ? error.text : `${error.path}: ${error.text}`)
    return 1
  }
  if (error instanceof RedirectionError) {
    await shell.complain(error.message)
    return error.status
  }
  throw error
}

/** Runs words that are already expanded as a command, without looking for functions. */
export async function runWords(shell: Shell, argv: readonly Bytes[]): Promise<number> {
  const [name, ...args] = argv
  if (name === undefined) return 0
  const builtin = shell.engine.builtin(name, shell.flavour)
  if (builtin) return builtin.run(shell, args)
  const { process } = shell
  const env = shell.variables.environment()
  const child = shell.system.processes.spawn({
    parent: process,
    argv,
    environ: env,
    files: process.files.fork(),
  })
  const ended = runToEnd(child, () => start(shell, child, shell.variables.get('PATH') ?? '', argv, env))
  return statusCode(await process.whileAlive(ended))
}
