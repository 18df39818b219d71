import { InfraError } from '../../../config/errors.js'
import { peerText } from '../../trouble.js'
import { openExec } from '../channel.js'
import { RunningCommand } from '../running.js'
import { watch } from '../watch.js'
import { commandText } from './catalog.js'
import type { WindowsHost } from './host.js'
import { type LoginShell, parseLoginProbe } from './login.js'
import { runInCmd } from './run.js'
import { type Look, lookLine, parseLook } from './tools.js'

/** What stands on no line: all that is printed is let through. */
const noWord = 'gc-none'
/** Read as OEM until the code page is known: what matters here is ASCII. */
const unknownCodePage = 437

/** Finds out what the login shell is and what the guest has. Throws InfraError (`limit`, `command`). */
export async function probe(
  connection: WindowsHost['connection'],
  mark: string,
  signal: AbortSignal,
): Promise<{ readonly login: LoginShell } & Look> {
  const login = await probeLogin(connection, signal)
  const { exit, stdout } = await runInCmd(
    { connection, login, codePage: unknownCodePage },
    lookLine,
    { signal, limitMs: connection.limits.firstCommand, limitName: 'firstCommand' },
    mark,
    async () => connection.lose(trouble(connection, 'looking at the guest could not be stopped', 'lost')),
  )
  const look = exit.kind === 'code' ? parseLook(stdout.text) : null
  if (look === null) {
    throw trouble(connection, `it does not say what it has: ${exit.kind} ${peerText(stdout.text)}`)
  }
  return { login, ...look }
}

async function probeLogin(connection: WindowsHost['connection'], signal: AbortSignal): Promise<LoginShell> {
  const { client, where, limits, lost } = connection
  const line = commandText('login-probe')
  const startedAt = performance.now()
  const asked = { signal, limitMs: limits.firstCommand, limitName: 'firstCommand' }
  const { stopped, dispose } = watch(asked, limits, startedAt)
  const opening = openExec(
    client,
    line,
    where,
    channel =>
      new RunningCommand(channel, {
        wrapped: { line, nonce: noWord, sudoNonce: null, stdinPrefix: null },
        options: {},
        keepBytes: 4096,
        drainMs: limits.drain,
        isLost: () => lost.aborted,
      }),
  )
  try {
    const running = await Promise.race([opening, stopped])
    if (
      !(running instanceof RunningCommand) ||
      (await Promise.race([running.ended, stopped])) !== undefined
    ) {
      const what = `the limit "firstCommand" of ${limits.firstCommand} ms was reached`
      throw trouble(connection, what, signal.aborted ? 'cancelled' : 'limit')
    }
    const { stdout, stderr, exit } = running.result(startedAt)
    running.release()
    const login = parseLoginProbe(stdout.text)
    if (login === null || exit.kind === 'lost') {
      const said = peerText(`${stdout.text} ${stderr.text}`)
      throw trouble(connection, `the login shell is neither cmd nor PowerShell nor Cygwin's bash: ${said}`)
    }
    return login
  } finally {
    dispose()
  }
}

function trouble(
  { where }: WindowsHost['connection'],
  what: string,
  code: 'command' | 'limit' | 'lost' | 'cancelled' = 'command',
): InfraError {
  const cause = code === 'cancelled' ? 'runner' : 'guest'
  return new InfraError(`${where}: ${what}`, {
    cause,
    where,
    code,
    ...(code === 'limit' ? { limit: 'firstCommand' } : {}),
  })
}
