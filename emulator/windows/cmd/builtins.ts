import { FileError, resolvePath } from '../store/files.js'
import { complain, findProgram, print, startProgram } from '../system/context.js'
import { emptySource, nullSink } from '../system/io.js'
import { cmdDate, cmdTime } from '../system/time-zone.js'
import { runBatch } from './batch.js'
import type { Builtin } from './builtin.js'
import { fileBuiltins } from './file-builtins.js'
import { Exit, fileText, Goto } from './session.js'
import { arithmetic } from './set-arithmetic.js'
import { versionLine } from './version.js'

const unquote = (text: string): string => text.trim().replace(/^"|"$/g, '')

const echo: Builtin = async (shell, rest) => {
  const text = rest.slice(1)
  if (/^\s*$/.test(rest)) await print(shell, `ECHO is ${shell.echo ? 'on' : 'off'}.\r\n`)
  else if (/^\s+(?:on|off)\s*$/i.test(rest)) shell.echo = /on/i.test(rest)
  else await print(shell, `${text}\r\n`)
  return 0
}

const set: Builtin = async (shell, rest) => {
  const text = rest.replace(/^[ \t]+/, '')
  if (/^\/a\b/i.test(text)) {
    const value = arithmetic(text.slice(2), shell.env)
    if (typeof value === 'string') {
      await complain(shell, `${value}\r\n`)
      return (shell.errorLevel = 9165)
    }
    if (!shell.batch) await print(shell, String(value))
    return 0
  }
  const quoted = text.startsWith('"') && text.lastIndexOf('"') > 0
  const whole = quoted ? text.slice(1, text.lastIndexOf('"')) : text
  const equals = whole.indexOf('=')
  if (equals > 0) {
    const value = whole.slice(equals + 1)
    shell.env.set(whole.slice(0, equals), value)
    return 0
  }
  const prefix = whole.trim().toLowerCase()
  const found = shell.env.list().filter(([name]) => name.toLowerCase().startsWith(prefix))
  if (found.length === 0) {
    await complain(shell, `Environment variable ${whole.trim()} not defined\r\n`)
    return (shell.errorLevel = 1)
  }
  await print(shell, found.map(([name, value]) => `${name}=${value}\r\n`).join(''))
  return 0
}

const cd: Builtin = async (shell, rest) => {
  const path = unquote(rest.replace(/^\s*\/d/i, ''))
  if (path === '') {
    await print(shell, `${shell.cwd}\r\n`)
    return 0
  }
  const full = resolvePath(shell.cwd, path)
  const node = shell.system.files.find(full)
  if (node?.type !== 'folder') {
    await complain(
      shell,
      `${node ? 'The directory name is invalid.' : 'The system cannot find the path specified.'}\r\n`,
    )
    return (shell.errorLevel = 1)
  }
  shell.cwd = full
  return (shell.errorLevel = 0)
}

const ver: Builtin = async shell => {
  await print(shell, `\r\n${versionLine(shell.system)}\r\n`)
  return 0
}

const exit: Builtin = async (shell, rest) => {
  const match = /^\s*(\/b)?\s*(-?\d+)?/i.exec(rest)
  const code = match?.[2] === undefined ? shell.errorLevel : Number(match[2])
  throw new Exit(code >>> 0, match?.[1] !== undefined && shell.batch !== undefined)
}

const call: Builtin = async (shell, rest) => {
  const text = rest.trim()
  if (text.startsWith(':')) {
    await complain(shell, `Invalid attempt to call batch label outside of batch script.\r\n`)
    return (shell.errorLevel = 1)
  }
  const name = /^"([^"]*)"|^(\S+)/.exec(text)
  const found = findProgram(shell, name?.[1] ?? name?.[2] ?? '')
  if (found && /\.(?:bat|cmd)$/i.test(found.path))
    return (shell.errorLevel = await runBatch(
      shell,
      found.path,
      name?.[0] ?? '',
      text.slice(name?.[0].length ?? 0),
    ))
  return shell.runLine(shell, text)
}

const start: Builtin = async (shell, rest) => {
  const text = rest.trim()
  const options = /^((?:"[^"]*"\s+)?(?:\/(?:b|min|max|i|wait|low|normal|high|d\s*\S+)\s*)*)(.*)$/is.exec(text)
  const command = options?.[2] ?? ''
  if (/\/wait/i.test(options?.[1] ?? '')) return shell.external(shell, command)
  const name = /^"([^"]*)"|^(\S+)/.exec(command)
  const found = findProgram(shell, name?.[1] ?? name?.[2] ?? '')
  if (!found) {
    await complain(shell, `The system cannot find the file ${name?.[1] ?? name?.[2] ?? ''}.\r\n`)
    return (shell.errorLevel = 9059)
  }
  const io = /\/b/i.test(options?.[1] ?? '')
    ? shell.io
    : { stdin: emptySource, stdout: nullSink, stderr: nullSink }
  startProgram(shell, found, name?.[0] ?? '', command.slice(name?.[0].length ?? 0), { io })
  return 0
}

const pushd: Builtin = async (shell, rest) => {
  const before = shell.cwd
  const code = await cd(shell, ` ${rest.trim()}`)
  if (code === 0) shell.folders.push(before)
  return code
}

const builtinsHere: readonly (readonly [string, Builtin])[] = [
  ['echo', echo],
  ['set', set],
  ['cd', cd],
  ['chdir', cd],
  ['ver', ver],
  ['exit', exit],
  ['call', call],
  ['start', start],
  ['pushd', pushd],
  [
    'popd',
    async shell => {
      shell.cwd = shell.folders.pop() ?? shell.cwd
      return 0
    },
  ],
  ['rem', async () => 0],
  ['title', async () => 0],
  ['color', async () => 0],
  ['cls', async () => 0],
  ['prompt', async () => 0],
  [
    'shift',
    async shell => {
      if (shell.batch) shell.batch = [shell.batch[0] ?? '', ...shell.batch.slice(2)]
      return 0
    },
  ],
  [
    'setlocal',
    async (shell, rest) => {
      if (/enabledelayedexpansion/i.test(rest)) shell.delayed = true
      return 0
    },
  ],
  [
    'endlocal',
    async shell => {
      shell.delayed = false
      return 0
    },
  ],
  [
    'goto',
    async (_, rest) => {
      throw new Goto(rest.trim().replace(/^:/, ''))
    },
  ],
  [
    'path',
    async shell => {
      await print(shell, `PATH=${shell.env.get('Path') ?? '(null)'}\r\n`)
      return 0
    },
  ],
  [
    'date',
    async shell => {
      const now = shell.system.zone.local(shell.system.clock.wallMs())
      await print(shell, `The current date is: ${cmdDate(now)} \r\n`)
      return 0
    },
  ],
  [
    'time',
    async shell => {
      const now = shell.system.zone.local(shell.system.clock.wallMs())
      await print(shell, `The current time is: ${cmdTime(now)}\r\n`)
      return 0
    },
  ],
  [
    'vol',
    async shell => {
      const { label } = shell.system.persona.storage
      const named = label === '' ? 'has no label.' : `is ${label}`
      await print(shell, ` Volume in drive C ${named}\r\n Volume Serial Number is 4C1F-8A02\r\n`)
      return 0
    },
  ],
]

/** Failures of files become what cmd says of them. */
function guarded(builtin: Builtin): Builtin {
  return async (shell, rest) => {
    try {
      return await builtin(shell, rest)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      await complain(shell, `${fileText(error)}\r\n`)
      return (shell.errorLevel = 1)
    }
  }
}

/** `date /t` and `time /t` print no more than the time itself. */
function short(name: 'date' | 'time', builtin: Builtin): Builtin {
  return async (shell, rest) => {
    if (!/\/t/i.test(rest)) return builtin(shell, rest)
    const now = shell.system.zone.local(shell.system.clock.wallMs())
    const hour = String(now.hour % 12 || 12).padStart(2, '0')
    const text =
      name === 'date'
        ? `${cmdDate(now)} `
        : `${hour}:${String(now.minute).padStart(2, '0')} ${now.hour < 12 ? 'AM' : 'PM'}`
    await print(shell, `${text}\r\n`)
    return 0
  }
}

/** The commands inside cmd, by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(
  [...builtinsHere, ...fileBuiltins].map(([name, builtin]) => [
    name,
    guarded(name === 'date' || name === 'time' ? short(name, builtin) : builtin),
  ]),
)
