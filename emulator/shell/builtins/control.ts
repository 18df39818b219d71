import type { Bytes } from '../../files/bytes.js'
import { absolute } from '../../files/tree.js'
import { parseSignal, type SignalName } from '../../system/signals.js'
import { Exit, LoopJump, Return, ShellError } from '../control.js'
import type { Builtin } from '../engine.js'
import type { Shell } from '../shell.js'

function level(args: readonly Bytes[]): number {
  const wanted = Number(args[0] ?? '1')
  return Number.isInteger(wanted) && wanted > 0 ? wanted : 1
}

function statusFrom(shell: Shell, args: readonly Bytes[]): number {
  const [text] = args
  if (text === undefined) return shell.status
  if (!/^-?\d+$/.test(text)) throw new ShellError(`Illegal number: ${text}`, 2)
  return Number(text) & 0xff
}

async function evaluate(shell: Shell, text: Bytes): Promise<number> {
  const before = shell.status
  shell.status = 0
  const { statements } = await shell.parse(text)
  if (statements.length === 0) return 0
  shell.status = before
  await shell.engine.runStatements(shell, statements)
  return shell.status
}

/** `.`: runs a file in this shell; found along PATH when its name has no slash. */
async function source(shell: Shell, args: Bytes[]): Promise<number> {
  const [name, ...positional] = args
  if (name === undefined) throw new ShellError('.: filename argument required', 2)
  const path = sourcePath(shell, name)
  const before = shell.positional
  if (positional.length > 0 && shell.flavour === 'bash') shell.positional = positional
  try {
    return await evaluate(shell, shell.readScript(path))
  } catch (error) {
    if (error instanceof Return) return error.status
    throw error
  } finally {
    shell.positional = before
  }
}

function sourcePath(shell: Shell, name: Bytes): Bytes {
  const candidates = name.includes('/')
    ? [name]
    : (shell.variables.get('PATH') ?? '').split(':').map(directory => `${directory || '.'}/${name}`)
  if (!name.includes('/') && shell.flavour === 'bash') candidates.push(name)
  for (const candidate of candidates) {
    const node = shell.system.tree.lookup(absolute(shell.process.cwd, candidate), shell.process)
    if (node?.type === 'file' || node?.type === 'live') return candidate
  }
  const missing =
    shell.flavour === 'dash' ? `.: cannot open ${name}: No such file` : `${name}: No such file or directory`
  throw new ShellError(missing, shell.flavour === 'dash' ? 2 : 1)
}

/** `exec`: the process becomes another program, or keeps the redirections. */
async function become(shell: Shell, args: Bytes[]): Promise<number> {
  if (args.length === 0) return 0
  const env = shell.variables.environment()
  shell.process.onSignal = signal => (shell.traps.get(signal) === '' ? 'ignored' : 'default')
  const status = await shell.engine.start(shell, shell.process, shell.variables.get('PATH') ?? '', args, env)
  throw new Exit(status, false)
}

function setTrap(shell: Shell, args: Bytes[]): number | Promise<number> {
  const [action, ...conditions] = args[0] === '--' ? args.slice(1) : args
  if (action === undefined || action === '-p') return listTraps(shell)
  const isReset = action === '-' || /^\d+$/.test(action)
  const names = /^\d+$/.test(action) ? [action, ...conditions] : conditions
  for (const name of names) {
    const condition: SignalName | 'EXIT' | undefined =
      name === '0' || name === 'EXIT' ? 'EXIT' : parseSignal(name)
    if (!condition) {
      return shell.complain(`trap: ${name}: bad trap`).then(() => 1)
    }
    if (isReset) shell.traps.delete(condition)
    else shell.traps.set(condition, action)
    if (condition === 'EXIT') continue
    if (!isReset && action === '') shell.process.ignored.add(condition)
    else shell.process.ignored.delete(condition)
  }
  return 0
}

async function listTraps(shell: Shell): Promise<number> {
  for (const [name, action] of shell.traps.list()) {
    const signal = name === 'EXIT' || shell.flavour === 'dash' ? name : `SIG${name}`
    await shell.write(1, `trap -- '${action.replace(/'/g, "'\\''")}' ${signal}\n`)
  }
  return 0
}

/** Builtins that change which command is next. */
export const controlBuiltins: Readonly<Record<string, Builtin>> = {
  ':': { run: () => 0 },
  true: { run: () => 0 },
  false: { run: () => 1 },
  '.': { run: source },
  source: { run: source, bashOnly: true },
  eval: { run: (shell, args) => evaluate(shell, args.join(' ')) },
  exec: { run: become, keepsRedirections: true },
  exit: {
    run: (shell, args) => {
      throw new Exit(statusFrom(shell, args))
    },
  },
  return: {
    run: (shell, args) => {
      throw new Return(statusFrom(shell, args))
    },
  },
  break: {
    run: (_shell, args) => {
      throw new LoopJump('break', level(args))
    },
  },
  continue: {
    run: (_shell, args) => {
      throw new LoopJump('continue', level(args))
    },
  },
  trap: { run: setTrap },
}
