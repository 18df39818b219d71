/**
 * Running a line of cmd on a Windows guest. As for a POSIX shell: one channel and one exec a command, a limit that stops
 * what was started and looks whether it is gone, an exit status that is 0 only when 0 was seen.
 */
import { randomBytes } from 'node:crypto'
import { InfraError } from '../../../config/errors.js'
import type { CommandResult, Output, RunOptions } from '../../machine.js'
import { refuseCancelled } from '../../trouble.js'
import { guardWindow, openExec } from '../channel.js'
import { lostError } from '../host.js'
import { RunningCommand } from '../running.js'
import { type Stop, watch } from '../watch.js'
import { decodeOutput } from './decode.js'
import type { WindowsHost } from './host.js'
import { markedLine } from './line.js'
import { lineForLogin } from './login.js'
import { type Trailer, trailer } from './trailer.js'

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
  const { where, lost, limits } = host.connection
  refuseCancelled(options.signal, where, 'a command')
  if (lost.aborted) {
    throw lostError(host.connection)
  }
  const startedAt = performance.now()
  const { stopped, dispose } = watch(options, limits, startedAt)
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
  const nonce = `gc${randomBytes(8).toString('hex')}`
  const { line, statusWord } = lineForLogin(login, markedLine(command, options.env ?? {}, mark, nonce), nonce)
  const tail = statusWord === null ? null : trailer(statusWord, options.onStdout)
  const flood = `${where}: the SSH server sends more than it may (it ignores the window)`
  const opening = openExec(client, line, where, channel => {
    guardWindow(channel, () =>
      connection.lose(new InfraError(flood, { cause: 'guest', where, code: 'lost' })),
    )
    return new RunningCommand(channel, {
      wrapped: { line, nonce, sudoNonce: null, stdinPrefix: null },
      options: tail === null ? options : { ...options, onStdout: tail.sink },
      keepBytes: options.keepBytes ?? limits.output,
      drainMs: limits.drain,
      isLost: () => lost.aborted,
    })
  })
  const opened = await Promise.race([opening, stopped]).catch((error: unknown) => {
    throw lost.aborted ? lostError(connection) : error
  })
  if (!(opened instanceof RunningCommand)) {
    opening.then(late => late.release()).catch(() => {})
    await stop(mark)
    return { ...nothing(startedAt), exit: { kind: 'limit', ...opened } }
  }
  const running = opened
  const finish = (result: CommandResult): CommandResult => decoded(withStatus(result, tail), codePage)
  try {
    const reached = await Promise.race([running.ended, stopped]).catch(async (error: unknown) => {
      await stop(mark)
      throw error
    })
    if (reached !== undefined) {
      await stop(mark)
      await Promise.race([running.ended.catch(() => {}), drained(limits.drain)])
      await tail?.end()
      return { ...finish(running.result(startedAt)), exit: { kind: 'limit', ...reached } }
    }
    await tail?.end()
    return finish(running.result(startedAt))
  } finally {
    running.release()
  }
}

/** After its processes are gone a command's streams close at once, unless the connection hangs. */
async function drained(ms: number): Promise<void> {
  await new Promise<void>(resolve => {
    setTimeout(resolve, ms).unref()
  })
}

/**
 * Where the login shell keeps only 8 bits of a status, the one on our last line counts. Without that line a 0 may have
 * been 256: then no status was seen.
 */
function withStatus(result: CommandResult, tail: Trailer | null): CommandResult {
  if (tail === null) {
    return result
  }
  const status = tail.status()
  const { exit } = result
  const stdout = tail.strip(result.stdout)
  if (exit.kind !== 'code') {
    return { ...result, stdout }
  }
  if (status !== null) {
    return { ...result, stdout, exit: { kind: 'code', code: status } }
  }
  return exit.code === 0 ? { ...result, exit: { kind: 'lost' } } : result
}

function decoded(result: CommandResult, codePage: number): CommandResult {
  const text = (output: Output): Output => ({ ...output, text: decodeOutput(output.bytes, codePage) })
  return { ...result, stdout: text(result.stdout), stderr: text(result.stderr) }
}

function nothing(startedAt: number): Omit<CommandResult, 'exit'> {
  const empty = { text: '', bytes: Buffer.alloc(0), totalBytes: 0, truncated: false }
  return { stdout: empty, stderr: empty, durationMs: performance.now() - startedAt, undrained: false }
}
