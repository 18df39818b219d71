import type { Bytes } from '../files/bytes.js'
import type { Call, Program } from '../system/programs.js'
import { runToEnd, statusCode } from '../system/run-to-end.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { become, fallbackPath } from './start.js'
import { complain } from './streams.js'

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
    ['GUESTCERT_EMULATED', '1'],
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

/** Runs a command as another user. */
export const sudoPrograms: Readonly<Record<string, Program>> = { sudo }
