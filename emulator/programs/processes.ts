import type { Bytes } from '../files/bytes.js'
import { readKill, sendSignal } from '../system/kill.js'
import type { Process } from '../system/process.js'
import type { Call, Program } from '../system/programs.js'
import { signalNumbers } from '../system/signals.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain } from './streams.js'

/** The command as `ps -o comm` shows it: without its path, 15 letters at most. */
export function commandName(process: Process): Bytes {
  const [first = ''] = process.argv
  const name = first.replace(/^-/, '').replace(/^\[(.*)\]$/, '$1')
  return (name.split('/').at(-1) ?? name).slice(0, 15)
}

function elapsed(call: Call, process: Process): string {
  const seconds = Number((call.system.clock.uptimeNs() - process.startedNs) / 1_000_000_000n)
  const two = (value: number): string => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours > 0
    ? `${two(hours)}:${two(minutes)}:${two(seconds % 60)}`
    : `${two(minutes)}:${two(seconds % 60)}`
}

type Column = {
  readonly title: string
  readonly right?: boolean
  value(call: Call, process: Process): string
}

function user(call: Call, uid: number): string {
  return call.system.accounts.find(account => account.uid === uid)?.name ?? String(uid)
}

const columns: Readonly<Record<string, Column>> = {
  pid: { title: 'PID', right: true, value: (_call, process) => String(process.pid) },
  ppid: { title: 'PPID', right: true, value: (_call, process) => String(process.ppid) },
  pgid: { title: 'PGID', right: true, value: (_call, process) => String(process.pgid) },
  sid: { title: 'SID', right: true, value: (_call, process) => String(process.sid) },
  uid: { title: 'UID', right: true, value: (_call, process) => String(process.uid) },
  user: { title: 'USER', value: (call, process) => user(call, process.uid) },
  comm: { title: 'COMMAND', value: (_call, process) => commandName(process) },
  args: { title: 'COMMAND', value: (_call, process) => process.argv.join(' ') },
  stat: { title: 'STAT', value: (_call, process) => (process.sid === process.pid ? 'Ss' : 'S') },
  s: { title: 'S', value: () => 'S' },
  tty: { title: 'TT', value: () => '?' },
  time: { title: 'TIME', right: true, value: () => '00:00:00' },
  etime: { title: 'ELAPSED', right: true, value: elapsed },
  etimes: {
    title: 'ELAPSED',
    right: true,
    value: (call, process) => String((call.system.clock.uptimeNs() - process.startedNs) / 1_000_000_000n),
  },
  pcpu: { title: '%CPU', right: true, value: () => '0.0' },
  pmem: { title: '%MEM', right: true, value: () => '0.1' },
  rss: { title: 'RSS', right: true, value: () => '2048' },
  vsz: { title: 'VSZ', right: true, value: () => '8192' },
  nice: { title: 'NI', right: true, value: () => '0' },
  lstart: { title: 'STARTED', value: () => '-' },
}
const aliases: Readonly<Record<string, string>> = {
  cmd: 'args',
  command: 'args',
  pgrp: 'pgid',
  session: 'sid',
  sess: 'sid',
  state: 's',
  tname: 'tty',
  tt: 'tty',
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  ucmd: 'comm',
  ruser: 'user',
  euser: 'user',
  euid: 'uid',
  ni: 'nice',
  vsize: 'vsz',
}

const ps: Program = async call => {
  const args = call.args.map((arg, index) => (index === 0 && /^[a-z]+$/.test(arg) ? `-${arg}` : arg))
  const bsd = /^[a-z]+$/.test(call.args[0] ?? '')
  const options = readOptions(args, 'aAefjlwxuo:p:g:s:u:C:Hh', {
    pid: 'p',
    format: 'o',
    'no-headers': 'h',
    sid: 's',
    group: 'g',
    ppid: 'P',
  })
  const wanted =
    options.value('o') ??
    (options.has('f') && !bsd
      ? 'user,pid,ppid,pcpu,tty,time,args'
      : bsd && options.has('u')
        ? 'user,pid,pcpu,pmem,vsz,rss,tty,stat,time,args'
        : 'pid,tty,time,comm')
  const chosen: { column: Column; title: string }[] = []
  for (const word of wanted.split(/[, ]+/)) {
    const [name = '', title] = word.split('=')
    const column = columns[aliases[name] ?? name]
    if (!column) return complain(call, `error: unknown user-defined format specifier "${name}"`)
    chosen.push({ column, title: title ?? column.title })
  }
  const ids = (letter: string): Set<number> | undefined => {
    const value = options.value(letter)
    return value === undefined ? undefined : new Set(value.split(/[, ]+/).map(Number))
  }
  const [pids, groups, sessions] = [ids('p'), ids('g'), ids('s')]
  const command = options.value('C')
  const everything = options.has('e') || options.has('A') || options.has('a') || options.has('x')
  const rows = call.system.processes.list().filter(process => {
    if (pids) return pids.has(process.pid)
    if (groups || sessions)
      return (groups?.has(process.sid) || groups?.has(process.pgid) || sessions?.has(process.sid)) === true
    if (command !== undefined) return commandName(process) === command
    return everything || process.sid === call.process.sid
  })
  const cells = rows.map(process => chosen.map(({ column }) => column.value(call, process)))
  const titles = chosen.map(({ title }) => title)
  const untitled = titles.every(title => title === '') || options.has('h')
  const lines = (untitled ? cells : [titles, ...cells]).map(row =>
    row
      .map((cell, index) => {
        const width = Math.max(titles[index]?.length ?? 0, ...cells.map(line => line[index]?.length ?? 0))
        if (index === row.length - 1 && !chosen[index]?.column.right) return cell
        return chosen[index]?.column.right ? cell.padStart(width) : cell.padEnd(width)
      })
      .join(' '),
  )
  await writeTo(call.process, 1, lines.map(line => `${line}\n`).join(''))
  return rows.length > 0 ? 0 : 1
}

const kill: Program = async call => {
  const request = readKill(call.args)
  if (request === 'list') {
    await writeTo(call.process, 1, `${Object.keys(signalNumbers).join(' ')}\n`)
    return 0
  }
  if (!request) return complain(call, 'usage: kill [ -s signal ] pid ...')
  const failures = sendSignal(call.system, call.process, request)
  for (const failure of failures) await complain(call, failure)
  return failures.length > 0 ? 1 : 0
}

/** `pgrep` and `pkill`, for a pattern of the name or with `-f` of the whole command line. */
function byPattern(signals: boolean): Program {
  return async call => {
    const [first = ''] = call.args
    const signal = signals && /^-(?:\d+|SIG[A-Z0-9]+|[A-Z]{3,}\d?)$/.test(first) ? first : undefined
    const options = readOptions(signal ? call.args.slice(1) : call.args, 'flxonvg:P:u:s:U:', {
      full: 'f',
      exact: 'x',
    })
    const [pattern] = options.operands
    const parent = options.value('P')
    const group = options.value('g')
    if (pattern === undefined && parent === undefined && group === undefined)
      return complain(call, 'no matching criteria specified').then(() => 2)
    const expression = new RegExp(options.has('x') ? `^(?:${pattern ?? ''})$` : (pattern ?? ''))
    const matched = call.system.processes.list().filter(process => {
      if (process.pid === call.process.pid) return false
      if (parent !== undefined && process.ppid !== Number(parent)) return false
      if (group !== undefined && process.pgid !== Number(group)) return false
      return expression.test(options.has('f') ? process.argv.join(' ') : commandName(process))
    })
    if (signals) {
      const request = readKill([signal ?? '-TERM', ...matched.map(process => String(process.pid))])
      if (request && request !== 'list') sendSignal(call.system, call.process, request)
    } else {
      const line = (process: Process): string =>
        options.has('l') ? `${process.pid} ${commandName(process)}` : String(process.pid)
      await writeTo(call.process, 1, matched.map(process => `${line(process)}\n`).join(''))
    }
    return matched.length > 0 ? 0 : 1
  }
}

/** Programs about processes. */
export const processPrograms: Readonly<Record<string, Program>> = {
  ps,
  kill,
  pgrep: byPattern(false),
  pkill: byPattern(true),
}
