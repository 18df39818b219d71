import type { Client } from 'ssh2'
import { InfraError } from '../../config/errors.js'
import { inTime } from '../../deadline/deadline.js'
import type { CommandResult } from '../machine.js'
import { messageOf, peerText } from '../trouble.js'
import { openExec } from './channel.js'
import type { PosixHost } from './host.js'
import { notBegun } from './not-begun.js'
import { RefusedChannel } from './places.js'
import { RunningCommand } from './running.js'
import { parseSweep, sweepCommand } from './sweep.js'
import { type Stop, watch } from './watch.js'
import { wrap } from './wrap.js'

/**
 * Waits for a command whose limit came before its channel was open: a slow machine may start it after all.
 * `null` when it was refused, or when the wait was in vain and the connection was closed.
 */
export async function openedLate(
  host: PosixHost,
  opening: Promise<RunningCommand>,
): Promise<RunningCommand | null> {
  const opened = await inTime(
    opening.catch(() => null),
    host.limits.stop,
    host.stillness,
  )
  if (opened === 'late') {
    giveUp(host, `whether it began was not to be known within the limit "stop" of ${host.limits.stop} ms`)
    return null
  }
  return opened
}

/**
 * Kills what a command started and looks whether anything is left, through a second channel. A command
 * that has not begun yet is waited for first: what starts later would not be found. When any of this
 * cannot be done within `limits.stop` the connection is closed: what may still run there must not be
 * taken for stopped.
 */
export async function stopCommand(host: PosixHost, mark: string, running: RunningCommand): Promise<void> {
  const { limits, lost } = host
  const begun = await inTime(running.begun, limits.stop, host.stillness)
  if (lost.aborted) {
    return
  }
  try {
    const result = await host.inStopPlace(() => sweepOnce(host, mark, running.pid))
    const swept = result === null ? null : parseSweep(result.stdout.text)
    if (result === null) {
      giveUp(host, `that took longer than the limit "stop" of ${limits.stop} ms`)
    } else if (swept === null || result.exit.kind !== 'code' || result.exit.code !== 0) {
      giveUp(host, `its processes could not be looked at: ${whyBlind(result)}`)
    } else if (swept.left.length > 0) {
      giveUp(host, `these of its processes remained: ${swept.left.join(' ')}`)
    } else if (begun === 'late') {
      giveUp(host, `it had not begun within the limit "stop" of ${limits.stop} ms, and may yet`)
    }
  } catch (error) {
    giveUp(host, `its processes could not be looked for: ${messageOf(error)}`)
  }
}

function giveUp(host: PosixHost, what: string): void {
  host.lose(
    new InfraError(`${host.where}: a command was to be stopped, but ${what}`, {
      cause: 'guest',
      where: host.where,
      code: 'lost',
      limit: 'stop',
    }),
  )
}

function whyBlind({ exit, stderr }: CommandResult): string {
  return [exit.kind === 'unproven' ? exit.why : '', peerText(stderr.text)].filter(Boolean).join(': ')
}

/**
 * `null` when it did not end within its limit. It is not a command like others: nothing stops it. Where this connection has
 * no channel for it, another connection is made.
 */
async function sweepOnce(host: PosixHost, mark: string, pid: number | null): Promise<CommandResult | null> {
  const startedAt = performance.now()
  const { stopped, dispose } = watch({ limitMs: host.limits.stop, limitName: 'stop' }, host, startedAt)
  let close = async (): Promise<void> => {}
  try {
    const here = host.isSingle
      ? 'refused'
      : await sweepOn(host.client, host, { mark, pid, stopped, startedAt }).catch(refusedOrThrow)
    if (here !== 'refused') {
      return here
    }
    const connecting = host.another()
    const other = await Promise.race([connecting, stopped])
    if (!('client' in other)) {
      connecting.then(late => late.close()).catch(() => {})
      return null
    }
    close = other.close
    return await sweepOn(other.client, host, { mark, pid, stopped, startedAt })
  } finally {
    dispose()
    await close()
  }
}

function refusedOrThrow(error: unknown): 'refused' {
  if (error instanceof RefusedChannel) {
    return 'refused'
  }
  throw error
}

interface Sweeping {
  readonly mark: string
  readonly pid: number | null
  readonly stopped: Promise<Stop>
  readonly startedAt: number
}

async function sweepOn(
  client: Client,
  host: PosixHost,
  { mark, pid, stopped, startedAt }: Sweeping,
): Promise<CommandResult | null> {
  const { where, limits, sudo } = host
  const command = sweepCommand({ mark, ...(pid === null ? {} : { session: pid }) })
  const wrapped = wrap(command, {}, { mark: null, sudo })
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
        stillness: host.stillness,
        isLost: () => host.lost.aborted,
      }),
  )
  const opened = await Promise.race([opening, stopped])
  if (!(opened instanceof RunningCommand)) {
    opening.then(late => late.release()).catch(() => {})
    return null
  }
  const running = opened
  const isInTime = (await Promise.race([running.ended.then(() => true), stopped])) === true
  running.release()
  if (!isInTime) {
    return null
  }
  const sighting = running.sighting(startedAt)
  if (!sighting.begun) {
    throw notBegun(host, sighting)
  }
  return sighting.result
}
