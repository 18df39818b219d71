import type { Bytes } from '../files/bytes.js'
import { openFor } from '../shell/redirect.js'
import type { Process } from '../system/process.js'
import type { Program } from '../system/programs.js'
import { statusCode } from '../system/run-to-end.js'
import { parseSignal } from '../system/signals.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { become, spawn } from './start.js'
import { complain } from './streams.js'

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

/** A time such as `1.5`, `2m` or `1h`, in ms. */
function duration(text: Bytes): number | undefined {
  const [, digits, unit = 's'] = /^(\d*\.?\d+)([smhd])?$/.exec(text) ?? []
  if (digits === undefined) return text === 'infinity' ? 2_147_483_647 : undefined
  return Number(digits) * ({ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 1000)
}

/** Resolves after a while, never when it is aborted first. */
function pause(process: Process, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const stop = process.pulse.after(ms, resolve)
    signal.addEventListener('abort', stop, { once: true })
    process.signal.addEventListener('abort', stop, { once: true })
  })
}

/** Programs that start other programs. */
export const wrapperPrograms: Readonly<Record<string, Program>> = {
  env,
  timeout,
  nohup,
  setsid,
  nice,
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
