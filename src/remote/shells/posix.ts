/**
 * Running commands on a machine with a POSIX shell. One channel and one exec a command; the wrapper
 * is in wrap.ts, stopping in stop.ts and sweep.ts. What stands here is the order of things.
 */
import { InfraError, InternalError } from '../../config/errors.js'
import type { CommandResult, RunOptions } from '../machine.js'
import { peerText, refuseCancelled } from '../trouble.js'
import { guardWindow, openExec } from './channel.js'
import { lostError, type PosixHost } from './host.js'
import { RunningCommand } from './running.js'
import { inTime, openedLate, stopCommand } from './stop.js'
import { type Stop, watch } from './watch.js'
import { isVariableName, wrap } from './wrap.js'

/** Runs one command to its end, its limit, or its cancelling. */
export async function runPosix(
  host: PosixHost,
  command: string,
  options: RunOptions,
  mark: string,
): Promise<CommandResult> {
  const { where, lost, limits } = host
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
  const { stopped, dispose } = watch(options, limits, startedAt)
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
      isLost: () => host.lost.aborted,
    })
  })
  const opened = await Promise.race([opening, stopped]).catch((error: unknown) => {
    throw host.lost.aborted ? lostError(host) : error
  })
  const running = opened instanceof RunningCommand ? opened : await openedLate(host, opening)
  if (running === null) {
    return { ...nothing(startedAt), exit: { kind: 'limit', ...(await stopped) } }
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
      await inTime(ended, limits.drain)
      return { ...running.result(startedAt), exit: { kind: 'limit', ...stop } }
    }
    if (running.isHeldBySudo && !host.lost.aborted) {
      throw heldBySudo(host, running.result(startedAt))
    }
    return running.result(startedAt)
  } finally {
    running.release()
  }
}

function nothing(startedAt: number): Omit<CommandResult, 'exit'> {
  const empty = { text: '', bytes: Buffer.alloc(0), totalBytes: 0, truncated: false }
  return { stdout: empty, stderr: empty, durationMs: performance.now() - startedAt, undrained: false }
}

function heldBySudo({ where, scrub }: PosixHost, { stderr, stdout }: CommandResult): InfraError {
  const said = peerText(`${stderr.text} ${stdout.text}`.trim())
  return new InfraError(scrub(`${where}: sudo did not start the command: ${said || 'it said nothing'}`), {
    cause: 'unknown',
    where,
    code: 'authentication',
  })
}

function flood(where: string): InfraError {
  return new InfraError(`${where}: the SSH server sends more than it may (it ignores the window)`, {
    cause: 'guest',
    where,
    code: 'lost',
  })
}
