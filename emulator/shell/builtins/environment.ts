import type { Bytes } from '../../files/bytes.js'
import { absolute, normalize } from '../../files/tree.js'
import { findCommand } from '../../system/programs.js'
import { ShellError } from '../control.js'
import type { Builtin } from '../engine.js'
import type { OptionLetter, Shell } from '../shell.js'

const letters: readonly OptionLetter[] = ['a', 'C', 'e', 'f', 'n', 'u', 'v', 'x']
const longNames: Readonly<Record<string, OptionLetter>> = {
  allexport: 'a',
  noclobber: 'C',
  errexit: 'e',
  noglob: 'f',
  noexec: 'n',
  nounset: 'u',
  verbose: 'v',
  xtrace: 'x',
}

function quote(value: Bytes): Bytes {
  return `'${value.replace(/'/g, "'\\''")}'`
}

/** `set`: options and positional parameters. */
export async function setOptions(shell: Shell, args: readonly Bytes[]): Promise<number> {
  if (args.length === 0) {
    for (const name of shell.variables.names())
      await shell.write(1, `${name}=${quote(shell.variables.get(name) ?? '')}\n`)
    return 0
  }
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    if (word === '--') {
      shell.positional = args.slice(at + 1)
      return 0
    }
    if (!/^[-+]./.test(word)) {
      shell.positional = args.slice(at)
      return 0
    }
    if (word === '-o' || word === '+o') {
      const name = args[++at]
      if (name === undefined) return 0
      setLong(shell, name, word === '-o')
    } else for (const letter of word.slice(1)) setLetter(shell, letter, word.startsWith('-'))
  }
  return 0
}

function setLong(shell: Shell, name: string, on: boolean): void {
  const letter = longNames[name]
  if (letter) setLetter(shell, letter, on)
  else if (name === 'pipefail' && shell.flavour === 'bash') shell.pipefail = on
  else if (name !== 'posix' || shell.flavour === 'dash')
    throw new ShellError(`set: Illegal option -o ${name}`, 2)
}

function setLetter(shell: Shell, letter: string, on: boolean): void {
  const known = letters.find(option => option === letter)
  if (!known) {
    if (/[bhmiEBTHsP]/.test(letter)) return
    throw new ShellError(`set: Illegal option -${letter}`, 2)
  }
  if (on) shell.options.add(known)
  else shell.options.delete(known)
  if (known === 'a') shell.variables.exportAll = on
}

function declare(mark: 'exported' | 'readonly'): Builtin {
  return {
    run: async (shell, args) => {
      const words = args.filter(arg => arg !== '--')
      const remove = mark === 'exported' && words[0] === '-n'
      const names = words.filter(word => !/^-[pfn]$/.test(word))
      if (names.length === 0) {
        const command = mark === 'exported' ? 'export' : 'readonly'
        for (const name of shell.variables.names(mark)) {
          const value = shell.variables.get(name)
          await shell.write(1, `${command} ${name}${value === undefined ? '' : `=${quote(value)}`}\n`)
        }
        return 0
      }
      for (const word of names) {
        const [, name, , value] = /^([A-Za-z_]\w*)(=([\s\S]*))?$/.exec(word) ?? []
        if (name === undefined) throw new ShellError(`${word}: bad variable name`, 2)
        if (value !== undefined) shell.variables.set(name, value)
        shell.variables.mark(name, mark, !remove)
      }
      return 0
    },
  }
}

function forget(shell: Shell, name: Bytes): void {
  shell.functions = new Map([...shell.functions].filter(([known]) => known !== name))
}

function unset(shell: Shell, args: readonly Bytes[]): number {
  const functions = args[0] === '-f'
  for (const name of args.filter(arg => !/^-[fv]$/.test(arg))) {
    if (functions) forget(shell, name)
    else if (shell.variables.get(name) === undefined && args[0] !== '-v') {
      shell.variables.unset(name)
      forget(shell, name)
    } else shell.variables.unset(name)
  }
  return 0
}

async function changeDirectory(shell: Shell, args: readonly Bytes[]): Promise<number> {
  const [word] = args.filter(arg => !/^-[LPe]$/.test(arg) && arg !== '--')
  const back = word === '-'
  const wanted = back ? shell.variables.get('OLDPWD') : (word ?? shell.variables.get('HOME'))
  if (wanted === undefined) {
    await shell.complain(`cd: ${back ? 'OLDPWD' : 'HOME'} not set`)
    return 1
  }
  const path = normalize(absolute(shell.variables.get('PWD') ?? shell.process.cwd, wanted))
  try {
    shell.changeDirectory(args.includes('-P') ? shell.system.tree.find(path, shell.process).path : path)
  } catch {
    const dash = `cd: can't cd to ${wanted}`
    await shell.complain(shell.flavour === 'dash' ? dash : `cd: ${wanted}: No such file or directory`)
    return shell.flavour === 'dash' ? 2 : 1
  }
  if (back) await shell.write(1, `${path}\n`)
  return 0
}

/** `command`, `type`: what a name means, or the command without functions of its name. */
async function command(shell: Shell, args: Bytes[]): Promise<number> {
  const options = args.findIndex(arg => !/^-[pvV]+$/.test(arg))
  const flags = args.slice(0, options < 0 ? args.length : options).join('')
  const words = options < 0 ? [] : args.slice(options)
  const rest = words[0] === '--' ? words.slice(1) : words
  if (!/[vV]/.test(flags)) return shell.engine.runWords(shell, rest)
  return tell(shell, rest, flags.includes('V'))
}

async function tell(shell: Shell, names: readonly Bytes[], atLength: boolean): Promise<number> {
  let status = 0
  for (const name of names) {
    const builtin = shell.engine.builtin(name, shell.flavour)
    const found = findCommand(shell.system, shell.process, name, shell.variables.get('PATH') ?? '')
    if (shell.engine.isSpecial(name) || shell.functions.has(name) || builtin) {
      const kind =
        shell.functions.has(name) && !shell.engine.isSpecial(name) ? 'is a function' : 'is a shell builtin'
      await shell.write(1, atLength ? `${name} ${kind}\n` : `${name}\n`)
    } else if ('path' in found)
      await shell.write(1, atLength ? `${name} is ${found.path}\n` : `${found.path}\n`)
    else {
      status = shell.flavour === 'dash' ? 127 : 1
      if (atLength) await shell.write(2, `${shell.name}: ${name}: not found\n`)
    }
  }
  return status
}

async function localVariables(shell: Shell, args: readonly Bytes[]): Promise<number> {
  for (const word of args) {
    if (word.startsWith('-')) continue
    const [, name, , value] = /^([A-Za-z_]\w*)(=([\s\S]*))?$/.exec(word) ?? []
    if (name === undefined) throw new ShellError(`local: ${word}: bad variable name`, 2)
    if (!shell.variables.local(name)) throw new ShellError('local: not in a function', 2)
    if (value !== undefined) shell.variables.set(name, value)
    else if (shell.flavour === 'bash') shell.variables.unset(name)
  }
  return 0
}

async function umask(shell: Shell, args: readonly Bytes[]): Promise<number> {
  const [word] = args.filter(arg => arg !== '-S')
  if (word === undefined) {
    await shell.write(1, `${shell.process.umask.toString(8).padStart(4, '0')}\n`)
    return 0
  }
  if (!/^[0-7]+$/.test(word)) throw new ShellError(`umask: Illegal mode: ${word}`, 2)
  shell.process.umask = Number.parseInt(word, 8) & 0o777
  return 0
}

/** What the kernel grants by default, by `ulimit` letter. */
const softLimits: Readonly<Record<string, string>> = {
  c: '0',
  d: 'unlimited',
  f: 'unlimited',
  l: '64',
  m: 'unlimited',
  n: '1024',
  s: '8192',
  t: 'unlimited',
  u: '15000',
  v: 'unlimited',
}

async function ulimit(shell: Shell, args: readonly Bytes[]): Promise<number> {
  const flags = args
    .filter(arg => arg.startsWith('-'))
    .join('')
    .replace(/-/g, '')
  const [value] = args.filter(arg => !arg.startsWith('-'))
  const letter = flags.replace(/[HS]/g, '').charAt(0) || 'f'
  if (letter === 'a') {
    for (const [name, limit] of Object.entries(softLimits))
      await shell.write(1, `-${name} ${shell.process.limits.get(name) ?? limit}\n`)
    return 0
  }
  const limit = shell.process.limits.get(letter) ?? softLimits[letter]
  if (limit === undefined) throw new ShellError(`ulimit: Illegal option -${letter}`, 2)
  if (value === undefined) await shell.write(1, `${limit}\n`)
  else shell.process.limits.set(letter, value)
  return 0
}

function shift(shell: Shell, args: readonly Bytes[]): number {
  const by = Number(args[0] ?? '1')
  if (by > shell.positional.length) {
    if (shell.flavour === 'dash') throw new ShellError("shift: can't shift that many", 2)
    return 1
  }
  shell.positional = shell.positional.slice(by)
  return 0
}

/** Builtins about variables, options and the process itself. */
export const environmentBuiltins: Readonly<Record<string, Builtin>> = {
  set: { run: setOptions },
  shift: { run: shift },
  export: declare('exported'),
  readonly: declare('readonly'),
  unset: { run: unset },
  cd: { run: changeDirectory },
  command: { run: command },
  type: { run: (shell, args) => tell(shell, args, true) },
  local: { run: localVariables },
  declare: { run: localOrGlobal, bashOnly: true },
  typeset: { run: localOrGlobal, bashOnly: true },
  umask: { run: umask },
  ulimit: { run: ulimit },
  hash: { run: () => 0 },
  alias: { run: () => 0 },
  unalias: { run: () => 0 },
  shopt: { run: () => 0, bashOnly: true },
}

function localOrGlobal(shell: Shell, args: Bytes[]): number | Promise<number> {
  if (shell.functionDepth > 0) return localVariables(shell, args)
  for (const word of args) {
    const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word) ?? []
    if (name !== undefined) shell.variables.set(name, value ?? '')
  }
  return 0
}
