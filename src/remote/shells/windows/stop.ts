import { randomBytes } from 'node:crypto'
import { InfraError } from '../../../config/errors.js'
import { messageOf, peerText } from '../../trouble.js'
import { RefusedChannel } from '../places.js'
import { commandText } from './catalog.js'
import type { WindowsHost } from './host.js'
import { markCondition } from './line.js'
import { quoteForCmd } from './quote.js'
import { runInCmd } from './run.js'
import { Answers, pipedRequestLine, serviceCommand } from './service.js'
import { wmicQuery } from './wmic.js'

/** A process may start another while it is being looked for: so it is looked for again. */
const rounds = 4

/**
 * Kills the processes that carry a mark, with all that they started, and looks whether any is left. What cannot be
 * stopped must not be taken for stopped: then the connection is closed.
 */
export async function stopMarked(host: WindowsHost, mark: string, under: boolean): Promise<void> {
  const { lost, where, limits, inStopPlace } = host.connection
  if (lost.aborted) {
    return
  }
  try {
    const left = await inStopPlace(() => killAnyhow(host, mark, under))
    if (left.length > 0) {
      throw new Error(`these of its processes remained: ${left.join(' ')}`)
    }
  } catch (error) {
    const what = `a command was to be stopped within ${limits.stop} ms, but: ${messageOf(error)}`
    host.connection.lose(
      new InfraError(`${where}: ${what}`, { cause: 'guest', where, code: 'lost', limit: 'stop' }),
    )
  }
}

/** Where this connection has no channel for it, another connection is made. */
async function killAnyhow(host: WindowsHost, mark: string, under: boolean): Promise<readonly number[]> {
  try {
    return await killAll(host, mark, under)
  } catch (error) {
    if (!(error instanceof RefusedChannel)) {
      throw error
    }
  }
  const other = await host.connection.another()
  try {
    return await killAll({ ...host, connection: { ...host.connection, client: other.client } }, mark, under)
  } finally {
    await other.close()
  }
}

async function killAll(host: WindowsHost, mark: string, under: boolean): Promise<readonly number[]> {
  let found = await find(host, mark, under)
  for (let round = 1; found.length > 0 && round < rounds; round += 1) {
    const pids = found.map(pid => ` /PID ${pid}`).join('')
    // Its status tells little: a child that went with its parent is "not found".
    await runOnce(host, commandText('taskkill', { PIDS: pids }))
    found = await find(host, mark, under)
  }
  return found
}

/** The processes by their command lines, with whatever the guest has for looking: wmic is gone from newer ones. */
async function find(host: WindowsHost, mark: string, under: boolean): Promise<number[]> {
  const condition = markCondition(mark, under)
  const { wmic, powershell } = host.tools
  if (!wmic && !powershell) {
    throw new Error('the guest has nothing to find processes with')
  }
  if (!wmic) {
    return findByPowerShell(host, condition)
  }
  try {
    const rows = wmicQuery(await runOnce(host, wmicLine(condition)), ['ProcessId'])
    return rows.map(row => pidOf(row.ProcessId))
  } catch (error) {
    if (!powershell || host.connection.lost.aborted || error instanceof RefusedChannel) {
      throw error
    }
    return findByPowerShell(host, condition).catch((second: unknown) => {
      throw new Error(`${messageOf(error)}; by PowerShell: ${messageOf(second)}`)
    })
  }
}

function wmicLine(condition: string): string {
  return commandText('wmic-query', {
    NAMESPACE: 'root\\cimv2',
    CLASS: 'Win32_Process',
    WHERE: `where ${quoteForCmd(condition)} `,
    PROPERTIES: 'ProcessId',
  })
}

/** The request comes through a pipe of cmd: a login shell may keep standard input for itself. */
async function findByPowerShell(host: WindowsHost, condition: string): Promise<number[]> {
  const answers = new Answers(host.connection.where)
  const request = ['wmi', 'root\\cimv2', 'ProcessId', `Win32_Process WHERE ${condition}`] as const
  const answer = answers.await(1)
  answer.catch(() => {})
  const line = commandText('powershell-piped', {
    REQUEST: pipedRequestLine(1, request),
    'POWERSHELL-SERVICE': serviceCommand,
  })
  const result = await runOnce(host, line, { onStdout: chunk => answers.push(chunk) })
  answers.failAll(`no answer: ${peerText(result.stderr.text)}`)
  const { rows } = await answer
  return rows.map(row => pidOf(row.ProcessId))
}

function pidOf(value: unknown): number {
  const pid = Number(value)
  if (typeof value !== 'string' || !Number.isSafeInteger(pid) || pid <= 0) {
    throw new Error(`"${String(value)}" is not a process`)
  }
  return pid
}

async function runOnce(
  host: WindowsHost,
  line: string,
  more: Parameters<typeof runInCmd>[2] = {},
): ReturnType<typeof runInCmd> {
  const { connection } = host
  const options = { ...more, limitMs: connection.limits.stop, limitName: 'stop' }
  // Another mark, which nobody looks for: it must not find itself.
  const mark = `gc-stop/${randomBytes(4).toString('hex')}`
  const result = await runInCmd(host, line, options, mark, async () => {})
  if (result.exit.kind !== 'code') {
    throw new Error(`looking for its processes ended with ${result.exit.kind}`)
  }
  return result
}
