/**
 * Running commands on a machine with a POSIX shell. One channel and one exec a command; the wrapper
 * is in wrap.ts, stopping in stop.ts and sweep.ts. What stands here is the order of things.
 */
import { InfraError, InternalError } from '../../config/errors.js'
import { inTime } from '../../deadline/deadline.js'
import type { CommandResult, RunOptions } from '../machine.js'
import { refuseCancelled } from '../trouble.js'
import { guardWindow, openExec } from './channel.js'
import { lostError, type PosixHost } from './host.js'
import { limitResult, notBegun } from './not-begun.js'
import { RunningCommand } from './running.js'
import { openedLate, stopCommand } from './stop.js'
import { type Stop, watch } from './watch.js'
import { isVariableName, wrap } from './wrap.js'

/** Runs one command to its end, its limit, or its cancelling. */
export async function runPosix(
  host: PosixHost,
  command: string,
  options: RunOptions,
  mark: string,
): Promise<CommandResult> {
  const { where, lost } = host
  refuseCancelled(options.signal, where, 'a command')
  if (lost.aborted) {
    throw lostError(host)
  }
  for (const name of Object.keys(options.env ?? {})) {
    if (!isVariableName(name)) {
      throw new InternalError(`"${name}" cannot be the name of an environment variable`)
    }
  }
  const startedAt = performance.now()
  const { stopped, dispose } = watch(options, host, startedAt)
  try {
    return await follow(host, command, options, { mark, stopped, startedAt })
  } finally {
    dispose()
  }
}

interface Following {
  readonly mark: string
  readonly stopped: Promise<Stop>
  readonly startedAt: number
}

async function follow(
  host: PosixHost,
  command: string,
  options: RunOptions,
  { mark, stopped, startedAt }: Following,
): Promise<CommandResult> {
  const { limits, where } = host
  const wrapped = wrap(command, options.env ?? {}, { mark, sudo: host.sudo })
  const opening = openExec(host.client, wrapped.line, where, channel => {
    guardWindow(channel, () => host.lose(flood(where)))
    return new RunningCommand(channel, {
      wrapped,
      options,
      keepBytes: options.keepBytes ?? limits.output,
      drainMs: limits.drain,
      stillness: host.stillness,
      isLost: () => host.lost.aborted,
    })
  })
  const opened = await Promise.race([opening, stopped]).catch((error: unknown) => {
    throw host.lost.aborted ? lostError(host) : error
  })
  const running = opened instanceof RunningCommand ? opened : await openedLate(host, opening)
  if (running === null) {
    return limitResult(null, await stopped, startedAt)
  }
  try {
    const ending = running === opened ? Promise.race([running.ended, stopped]) : stopped
    const stop = await ending.catch(async (error: unknown) => {
      // A sink or the input failed: what would go on unseen is ended.
      await stopCommand(host, mark, running)
      throw error
    })
    if (stop !== undefined) {
      await stopCommand(host, mark, running)
      const ended = running.ended.catch(() => {})
      await inTime(ended, limits.drain, host.stillness)
      return limitResult(running.sighting(startedAt), stop, startedAt)
    }
    const sighting = running.sighting(startedAt)
    if (!sighting.begun) {
      throw notBegun(host, sighting)
    }
    return sighting.result
  } finally {
    running.release()
  }
}

function flood(where: string): InfraError {
  return new InfraError(`${where}: the SSH server sends more than it may (it ignores the window)`, {
    cause: 'guest',
    where,
    code: 'lost',
  })
}
