import type { Bytes } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import { openFor } from '../shell/redirect.js'
import type { ExitStatus, Process } from '../system/process.js'
import { type Call, execute, findCommand, type Program, type ProgramTable } from '../system/programs.js'
import { runToEnd, statusCode } from '../system/run-to-end.js'
import { parseSignal } from '../system/signals.js'
import { readAll, writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain, size } from './streams.js'

/** The PATH of programs that were given none. */
const fallbackPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Programs that start other programs. */
export function wrapperPrograms(programs: ProgramTable): Readonly<Record<string, Program>> {
  /** Becomes another program, as `execvp` does; says so when it cannot. */
  const become = async (
    call: Call,
    argv: readonly Bytes[],
    env = call.env,
    process = call.process,
  ): Promise<number> => {
    const [name = ''] = argv
    const found = findCommand(call.system, process, name, env.get('PATH') ?? fallbackPath)
    if ('status' in found) {
      await complain(call, `${name}: ${found.status === 127 ? 'No such file or directory' : found.reason}`)
      return found.status
    }
    try {
      return await execute(call.system, programs, process, found.path, argv, env)
    } catch (error) {
      if (!(error instanceof SystemError) || !error.message.includes('execve')) throw error
      await complain(call, `${name}: ${describe(error)}`)
      return 126
    }
  }
  /** Starts another program in a process of its own. */
  const spawn = (
    call: Call,
    argv: readonly Bytes[],
    change: (child: Process) => void = () => {},
  ): { child: Process; ended: Promise<ExitStatus> } => {
    const child = call.system.processes.spawn({ parent: call.process, argv, environ: call.env })
    change(child)
    return { child, ended: runToEnd(child, () => become(call, argv, call.env, child)) }
  }

  const env: Program = async call => {
    const options = readOptions(call.args, '+iu:0', { 'ignore-environment': 'i', unset: 'u', null: '0' })
    if (options.mistake !== undefined) return complain(call, options.mistake).then(() => 125)
    const variables = new Map(options.has('i') || options.operands[0] === '-' ? [] : call.env)
    const removed = options.value('u')
    if (removed !== undefined) variables.delete(removed)
    const words = options.operands[0] === '-' ? options.operands.slice(1) : [...options.operands]
    let at = 0
    for (; at < words.length; at++) {
      const [, name, value] = /^([^=]+)=([\s\S]*)$/.exec(words[at] ?? '') ?? []
      if (name === undefined) break
      variables.set(name, value ?? '')
    }
    if (at < words.length) return become(call, words.slice(at), variables)
    const end = options.has('0') ? '\0' : '\n'
    await writeTo(call.process, 1, [...variables].map(([name, value]) => `${name}=${value}${end}`).join(''))
    return 0
  }

  const timeout: Program = async call => {
    const options = readOptions(call.args, '+k:s:v', {
      'kill-after': 'k',
      signal: 's',
      'preserve-status': 'P',
      foreground: 'F',
    })
    const [limit = '', ...argv] = options.operands
    const ms = duration(limit)
    const signal = parseSignal(options.value('s') ?? 'TERM')
    if (ms === undefined || !signal || argv.length === 0)
      return complain(call, `invalid time interval '${limit}'`).then(() => 125)
    const { child, ended } = spawn(call, argv)
    if (ms === 0) return statusCode(await call.process.whileAlive(ended))
    const timer = new AbortController()
    const expired = pause(call.process, ms, timer.signal).then(() => 'expired' as const)
    const first = await Promise.race([ended, expired])
    if (first !== 'expired') {
      timer.abort()
      return statusCode(first)
    }
    child.deliver(signal)
    const grace = duration(options.value('k') ?? '')
    if (grace !== undefined) {
      const killer = new AbortController()
      void pause(call.process, grace, killer.signal).then(() => child.deliver('KILL'))
      void ended.then(() => killer.abort())
    }
    const status = await call.process.whileAlive(ended)
    if ('signal' in status && status.signal === 'KILL') return 137
    return options.has('P') ? statusCode(status) : 124
  }

  const xargs: Program = async call => {
    const options = readOptions(call.args, '+0n:I:rt', { null: '0', 'no-run-if-empty': 'r', 'max-args': 'n' })
    const text = (await readAll(call.process, 0)).toString('latin1')
    const replace = options.value('I')
    const words = options.has('0')
      ? text.split('\0').filter((word, index, all) => word !== '' || index < all.length - 1)
      : replace === undefined
        ? splitWords(text)
        : text.split('\n').filter(line => line !== '')
    const command = options.operands.length > 0 ? options.operands : ['echo']
    const groups: Bytes[][] = []
    if (replace !== undefined)
      groups.push(...words.map(word => command.map(part => part.replaceAll(replace, word))))
    else {
      const most = options.has('n') ? Math.max(1, size(options.value('n') ?? '1')) : 5000
      for (let at = 0; at < words.length; at += most) groups.push([...command, ...words.slice(at, at + most)])
      if (words.length === 0 && !options.has('r')) groups.push([...command])
    }
    let worst = 0
    for (const argv of groups) {
      const status = statusCode(await call.process.whileAlive(spawn(call, argv).ended))
      if (status === 126 || status === 127) return status
      if (status !== 0) worst = 123
    }
    return worst
  }

  const nohup: Program = async call => {
    if (call.args.length === 0) return complain(call, 'missing operand').then(() => 125)
    call.process.ignored.add('HUP')
    return become(call, call.args)
  }

  /** As util-linux: the leader of a group forks first, and then exits 0 at once. */
  const setsid: Program = async call => {
    const options = readOptions(call.args, '+cfw', { fork: 'f', wait: 'w', ctty: 'c' })
    const lead = (process: Process): void => {
      process.pgid = process.pid
      process.sid = process.pid
    }
    if (call.process.pgid !== call.process.pid && !options.has('f')) {
      lead(call.process)
      return become(call, options.operands)
    }
    const { ended } = spawn(call, options.operands, lead)
    return options.has('w') ? statusCode(await call.process.whileAlive(ended)) : 0
  }

  /** Wrappers that only change how the kernel schedules: the rest of the arguments is the command. */
  const passing = (letters: string, skip: number): Program => {
    return async call => {
      const options = readOptions(call.args, letters)
      return become(call, options.operands.slice(skip))
    }
  }

  const nice: Program = async call => {
    const options = readOptions(
      call.args.map(arg => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg)),
      '+n:',
    )
    if (options.operands.length > 0) return become(call, options.operands)
    await writeTo(call.process, 1, '0\n')
    return 0
  }

  const sudo: Program = async call => {
    const options = readOptions(call.args, '+nSHEkp:u:K', {
      'non-interactive': 'n',
      stdin: 'S',
      prompt: 'p',
      user: 'u',
    })
    const wanted = call.system.accounts.find(account => account.name === (options.value('u') ?? 'root'))
    if (!wanted) return complain(call, `unknown user: ${options.value('u')}`)
    const self = call.system.accounts.find(account => account.uid === call.process.uid)
    const refused = await call.system.sudo(self?.name ?? '', async () => {
      if (options.has('n')) return undefined
      if (!options.has('S')) return undefined
      await writeTo(call.process, 2, options.value('p') ?? `[sudo] password for ${self?.name}: `)
      return readLine(call)
    })
    if (call.process.uid !== 0 && refused !== undefined) {
      return complain(
        call,
        refused === 'password'
          ? options.has('n')
            ? 'a password is required'
            : '1 incorrect password attempt'
          : refused,
      )
    }
    let words = [...options.operands]
    const variables = new Map<Bytes, Bytes>([
      ['PATH', fallbackPath],
      ['HOME', wanted.home],
      ['LOGNAME', wanted.name],
      ['USER', wanted.name],
      ['SHELL', wanted.shell],
      ['SUDO_USER', self?.name ?? 'root'],
      ['SUDO_UID', String(call.process.uid)],
    ])
    if (options.has('E'))
      for (const [name, value] of call.env) if (!variables.has(name)) variables.set(name, value)
    for (const word of words) {
      const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word) ?? []
      if (name === undefined) break
      variables.set(name, value ?? '')
      words = words.slice(1)
    }
    if (words.length === 0) return 0
    const child = call.system.processes.spawn({
      parent: call.process,
      argv: words,
      environ: variables,
      uid: wanted.uid,
      gid: wanted.gid,
    })
    return statusCode(
      await call.process.whileAlive(runToEnd(child, () => become(call, words, variables, child))),
    )
  }

  const sleep: Program = async call => {
    let ms = 0
    for (const arg of call.args) {
      const part = duration(arg)
      if (part === undefined) return complain(call, `invalid time interval '${arg}'`)
      ms += part
    }
    if (call.args.length === 0) return complain(call, 'missing operand')
    await call.process.sleep(ms)
    return 0
  }

  return {
    env,
    timeout,
    xargs,
    nohup,
    setsid,
    nice,
    sudo,
    sleep,
    ionice: passing('+c:n:t', 0),
    taskset: passing('+c', 1),
    chrt: passing('+bfiropd', 1),
    stdbuf: passing('+i:o:e:', 0),
    time: passing('+p', 0),
    script: async call => {
      const options = readOptions(call.args, '+c:qf')
      const command = options.value('c')
      return command === undefined ? 1 : become(call, ['sh', '-c', command])
    },
    flock: async call => {
      const options = readOptions(call.args, '+nxsw:e')
      const [lock, ...argv] = options.operands
      if (lock === undefined || argv.length === 0) return 0
      openFor(call.system, call.process, lock, { write: true, create: true }).release()
      return become(call, argv)
    },
  }
}

/** Reads one line from standard input, byte by byte. */
async function readLine(call: Call): Promise<Bytes> {
  let line = ''
  for (;;) {
    const byte = await call.process.files.get(0)?.read(1, call.process.signal)
    const code = byte?.[0]
    if (code === undefined || code === 10) return line
    line += String.fromCharCode(code)
  }
}

/** A time such as `1.5`, `2m` or `1h`, in ms. */
function duration(text: Bytes): number | undefined {
  const [, digits, unit = 's'] = /^(\d*\.?\d+)([smhd])?$/.exec(text) ?? []
  if (digits === undefined) return text === 'infinity' ? 2_147_483_647 : undefined
  return Number(digits) * ({ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 1000)
}

/** Resolves after a while, never when it is aborted first. */
function pause(process: Process, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    const stop = (): void => clearTimeout(timer)
    signal.addEventListener('abort', stop, { once: true })
    process.signal.addEventListener('abort', stop, { once: true })
  })
}

/** Words as `xargs` reads them: white space divides, quotes and backslashes keep together. */
function splitWords(text: Bytes): Bytes[] {
  const words: Bytes[] = []
  for (const [word] of text.matchAll(/(?:'[^']*'|"[^"]*"|\\[\s\S]|[^\s'"\\])+/g)) {
    words.push(
      word.replace(
        /'([^']*)'|"([^"]*)"|\\([\s\S])/g,
        (_all, a?: string, b?: string, c?: string) => a ?? b ?? c ?? '',
      ),
    )
  }
  return words
}
