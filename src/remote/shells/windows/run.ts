/**
 * Running a line of cmd on a Windows guest. As for a POSIX shell: one channel and one exec a command, a limit that stops
 * what was started and looks whether it is gone, an exit status that is 0 only when 0 was seen.
 */
import { InfraError } from '../../../config/errors.js'
import { inTime } from '../../../deadline/deadline.js'
import type { CommandResult, Output, RunOptions } from '../../machine.js'
import { refuseCancelled } from '../../trouble.js'
import { guardWindow, openExec } from '../channel.js'
import { frameWords } from '../frame.js'
import { lostError } from '../host.js'
import { limitResult, notBegun } from '../not-begun.js'
import { RunningCommand } from '../running.js'
import { type Stop, watch } from '../watch.js'
import { decodeOutput } from './decode.js'
import type { WindowsHost } from './host.js'
import { framedLine } from './line.js'

/** Stops what carries a mark. */
export type Stopper = (mark: string) => Promise<void>

/** Runs one line to its end, its limit, or its cancelling. */
export async function runInCmd(
  host: Pick<WindowsHost, 'connection' | 'login' | 'codePage'>,
  command: string,
  options: RunOptions,
  mark: string,
  stop: Stopper,
): Promise<CommandResult> {
  const { where, lost } = host.connection
  refuseCancelled(options.signal, where, 'a command')
  if (lost.aborted) {
    throw lostError(host.connection)
  }
  const startedAt = performance.now()
  const { stopped, dispose } = watch(options, host.connection, startedAt)
  try {
    return await follow(host, command, options, { mark, stop, stopped, startedAt })
  } finally {
    dispose()
  }
}

interface Following {
  readonly mark: string
  readonly stop: Stopper
  readonly stopped: Promise<Stop>
  readonly startedAt: number
}

async function follow(
  { connection, login, codePage }: Pick<WindowsHost, 'connection' | 'login' | 'codePage'>,
  command: string,
  options: RunOptions,
  { mark, stop, stopped, startedAt }: Following,
): Promise<CommandResult> {
  const { client, where, limits, lost } = connection
  const words = frameWords(['plain'])
  const line = framedLine(login, { command, env: options.env ?? {}, mark, words })
  const flood = `${where}: the SSH server sends more than it may (it ignores the window)`
  const opening = openExec(client, line, where, channel => {
    guardWindow(channel, () =>
      connection.lose(new InfraError(flood, { cause: 'guest', where, code: 'lost' })),
    )
    return new RunningCommand(channel, {
      wrapped: { line, words, stdinPrefix: null },
      // bash keeps 8 bits of a status, and so do the servers of some login shells cmd.
      isWide: true,
      options,
      keepBytes: options.keepBytes ?? limits.output,
      drainMs: limits.drain,
      stillness: connection.stillness,
      isLost: () => lost.aborted,
    })
  })
  const opened = await Promise.race([opening, stopped]).catch((error: unknown) => {
    throw lost.aborted ? lostError(connection) : error
  })
  if (!(opened instanceof RunningCommand)) {
    opening.then(late => late.release()).catch(() => {})
    await stop(mark)
    return limitResult(null, opened, startedAt)
  }
  const running = opened
  try {
    const reached = await Promise.race([running.ended, stopped]).catch(async (error: unknown) => {
      await stop(mark)
      throw error
    })
    if (reached !== undefined) {
      await stop(mark)
      // After its processes are gone a command's streams close at once, unless the connection hangs.
      await inTime(
        running.ended.catch(() => {}),
        limits.drain,
        connection.stillness,
      )
      return decoded(limitResult(running.sighting(startedAt), reached, startedAt), codePage)
    }
    const sighting = running.sighting(startedAt)
    if (!sighting.begun) {
      throw notBegun(connection, sighting)
    }
    return decoded(sighting.result, codePage)
  } finally {
    running.release()
  }
}

function decoded(result: CommandResult, codePage: number): CommandResult {
  const text = (output: Output): Output => ({ ...output, text: decodeOutput(output.bytes, codePage) })
  return { ...result, stdout: text(result.stdout), stderr: text(result.stderr) }
}
