import { InfraError } from '../../config/errors.js'
import type { CommandResult } from '../machine.js'
import { messageOf, peerText } from '../trouble.js'
import { openExec } from './channel.js'
import type { PosixHost } from './host.js'
import { RunningCommand } from './running.js'
import { parseSweep, sweepCommand } from './sweep.js'
import { watch } from './watch.js'
import { wrap } from './wrap.js'

/**
 * Kills what a command started and looks whether anything is left, through a second channel. When that
 * cannot be done within `limits.stop` the connection is closed: what may still run there must
 * not be taken for stopped.
 */
export async function stopProcesses(host: PosixHost, mark: string, pid: number | null): Promise<void> {
  const { where, limits, lost } = host
  if (lost.aborted) {
    return
  }
  const say = (what: string): void =>
    host.lose(
      new InfraError(`${where}: a command was to be stopped, but ${what}`, {
        cause: 'guest',
        where,
        code: 'lost',
        limit: 'stop',
      }),
    )
  try {
    const result = await host.inStopPlace(() => sweepOnce(host, mark, pid))
    const swept = result === null ? null : parseSweep(result.stdout.text)
    if (result === null) {
      say(`that took longer than the limit "stop" of ${limits.stop} ms`)
    } else if (swept === null || result.exit.kind !== 'code') {
      say(`its processes could not be looked at: ${peerText(result.stderr.text)}`)
    } else if (swept.left.length > 0) {
      say(`these of its processes remained: ${swept.left.join(' ')}`)
    }
  } catch (error) {
    say(`a second channel was not to be had: ${messageOf(error)}`)
  }
}

/** `null` when it did not end within its limit. It is no command like others: nothing stops it. */
async function sweepOnce(host: PosixHost, mark: string, pid: number | null): Promise<CommandResult | null> {
  const { client, where, limits, sudo } = host
  const command = sweepCommand({ mark, ...(pid === null ? {} : { session: pid }) })
  const wrapped = wrap(command, {}, { mark: null, sudo })
  const startedAt = performance.now()
  const { stopped, dispose } = watch({ limitMs: limits.stop, limitName: 'stop' }, limits, startedAt)
  const opening = openExec(
    client,
    wrapped.line,
    where,
    channel =>
      new RunningCommand(channel, {
        wrapped,
        options: {},
        keepBytes: limits.output,
        drainMs: limits.drain,
        isLost: () => host.lost.aborted,
      }),
  )
  try {
    const opened = await Promise.race([opening, stopped])
    if (!(opened instanceof RunningCommand)) {
      opening.then(late => late.release()).catch(() => {})
      return null
    }
    const running = opened
    const isInTime = (await Promise.race([running.ended.then(() => true), stopped])) === true
    running.release()
    return isInTime ? running.result(startedAt) : null
  } finally {
    dispose()
  }
}
