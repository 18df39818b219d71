import { InfraError } from '../../../config/errors.js'
import { peerText } from '../../trouble.js'
import { openExec } from '../channel.js'
import { asFirstContact, demandBelievable, firstStatus } from '../first-contact.js'
import { frameWords } from '../frame.js'
import { NotCarriedOut } from '../not-begun.js'
import { RunningCommand } from '../running.js'
import { watch } from '../watch.js'
import { commandText } from './catalog.js'
import type { WindowsHost } from './host.js'
import { type LoginShell, parseLoginProbe, probeWord } from './login.js'
import { runInCmd } from './run.js'
import { type Look, lookLine, parseLook } from './tools.js'

/** Read as OEM until the code page is known: what matters here is ASCII. */
const unknownCodePage = 437

/**
 * Finds out what the login shell is, what the guest has, and that its SSH server tells a status as it was. Throws
 * InfraError (`limit`, `command`).
 */
export async function probe(
  connection: WindowsHost['connection'],
  mark: string,
  signal: AbortSignal,
): Promise<{ readonly login: LoginShell } & Look> {
  const login = await probeLogin(connection, signal)
  const status = firstStatus()
  const { exit, stdout } = await runInCmd(
    { connection, login, codePage: unknownCodePage },
    `${lookLine}&exit ${status}`,
    { signal, limitMs: connection.limits.firstCommand, limitName: 'firstCommand' },
    mark,
    async () => connection.lose(trouble(connection, 'looking at the guest could not be stopped', 'lost')),
  ).catch((error: unknown) => {
    throw asFirstContact(error)
  })
  demandBelievable(exit, status, connection.where)
  const look = exit.kind === 'code' && exit.code === status ? parseLook(stdout.text) : null
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
  const { stopped, dispose } = watch(asked, connection, startedAt)
  const opening = openExec(
    client,
    line,
    where,
    channel =>
      new RunningCommand(channel, {
        // It has no frame yet: what a frame looks like depends on the login shell.
        wrapped: { line, words: frameWords([]), stdinPrefix: null },
        options: {},
        keepBytes: 4096,
        drainMs: limits.drain,
        stillness: connection.stillness,
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
    const sighting = running.sighting(startedAt)
    running.release()
    const said = sighting.begun ? sighting.result : null
    const login = said === null ? null : parseLoginProbe(said.stdout.text)
    if (login === null || said === null || said.exit.kind === 'lost') {
      const text = peerText(`${said?.stdout.text ?? ''} ${said?.stderr.text ?? ''}`)
      if (!text.includes(probeWord)) {
        throw asFirstContact(new NotCarriedOut(where, running.told, text))
      }
      throw trouble(connection, `the login shell is neither cmd nor PowerShell nor Cygwin's bash: ${text}`)
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
