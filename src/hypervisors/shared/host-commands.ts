import { InfraError } from '../../config/errors.js'
import type { CommandResult, Sink } from '../../remote/index.js'
import type { Limit } from '../limit.js'
import type { HostConnection } from './connection.js'
import { exchange } from './exchanges.js'
import { tail } from './tool.js'
import { UnknownOutput } from './unknown-output.js'

/** What one command on a host is bounded by, and whom it is for. */
export interface CallOptions {
  readonly signal: AbortSignal
  readonly limit: Limit
  /** The instance or host that messages name. */
  readonly where: string
  readonly stdin?: Buffer
  readonly onStdout?: Sink
  readonly keepBytes?: number
}

/** What a command that ran to its end said. */
export interface Answer {
  readonly code: number
  readonly stdout: CommandResult['stdout']
  readonly stderr: string
}

/** The commands of a host, over its connection. Each throws InfraError that names command, host and output. */
export interface HostCommands {
  readonly host: string
  /** Runs a shell command to its end; any exit status is an answer. */
  run(command: string, options: CallOptions): Promise<Answer>
  /** Runs a shell command whose exit status must be 0; gives its standard output. */
  demand(command: string, options: CallOptions): Promise<string>
}

const nothing: Answer['stdout'] = { text: '', bytes: Buffer.alloc(0), totalBytes: 0, truncated: false }

/** Runs commands on a host over its connection. */
export function hostCommands(connection: HostConnection, host: string): HostCommands {
  const send = async (command: string, options: CallOptions): Promise<Answer> => {
    const { signal, limit, where, stdin, onStdout, keepBytes } = options
    const machine = await connection.machine(signal)
    const result = await machine.run(command, {
      signal,
      limitMs: limit.ms,
      limitName: limit.name,
      ...(stdin === undefined ? {} : { stdin }),
      ...(onStdout === undefined ? {} : { onStdout }),
      ...(keepBytes === undefined ? {} : { keepBytes }),
    })
    return answerOf(result, `${where} on ${host}`, command, signal)
  }
  const run = (command: string, options: CallOptions): Promise<Answer> =>
    exchange(command, () => send(command, options), {
      ...(options.stdin === undefined ? {} : { input: options.stdin.toString('utf8') }),
      refused: why => ({ code: 1, stdout: nothing, stderr: `${why}\n` }),
      show: ({ code, stdout, stderr }) => ({ status: String(code), answer: `${stdout.text}${stderr}` }),
    })
  return {
    host,
    run,
    demand: async (command, options) => {
      const answer = await run(command, options)
      if (answer.code !== 0) {
        throw refusal(`${options.where} on ${host}`, command, answer)
      }
      return answer.stdout.text
    },
  }
}

/** Reads an output, and says whose it was when it cannot be read. */
export function read<T>(parse: (text: string) => T, text: string, host: string): T {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof UnknownOutput) {
      throw hostError(host, `${host}: ${error.message}`)
    }
    throw error
  }
}

/** Trouble that is the host's. */
export function hostError(where: string, message: string): InfraError {
  return new InfraError(message, { cause: 'host', where, code: 'driver' })
}

/** A call that cannot be carried out as it was asked for. */
export function refused(where: string, why: string): InfraError {
  return new InfraError(`${where}: ${why}`, { cause: 'runner', where, code: 'driver' })
}

function answerOf(result: CommandResult, where: string, command: string, signal: AbortSignal): Answer {
  const { exit, stdout, stderr, undrained } = result
  const said = tail(`${stderr.text}\n${stdout.text}`)
  if (exit.kind === 'code' && !undrained) {
    return { code: exit.code, stdout, stderr: stderr.text }
  }
  if (signal.aborted) {
    const message = `${where}: ${shown(command)} was cancelled`
    throw new InfraError(message, { cause: 'runner', where, code: 'cancelled' })
  }
  if (exit.kind === 'limit') {
    const message = `${where}: ${shown(command)} did not end within ${exit.limit} (${exit.limitMs} ms): ${said}`
    throw new InfraError(message, { cause: 'host', where, code: 'limit', limit: exit.limit })
  }
  const how =
    exit.kind === 'signal'
      ? `was killed by ${exit.signal}`
      : exit.kind === 'lost'
        ? 'was lost with the connection'
        : 'closed its output too late'
  const cause = exit.kind === 'lost' ? 'network' : 'host'
  throw new InfraError(`${where}: ${shown(command)} ${how}: ${said}`, {
    cause,
    where,
    code: exit.kind === 'lost' ? 'lost' : 'command',
  })
}

/** A command that ended with another status than 0. */
export function refusal(where: string, command: string, { code, stdout, stderr }: Answer): InfraError {
  const message = `${where}: ${shown(command)} ended with status ${code}: ${tail(`${stderr}\n${stdout.text}`)}`
  return new InfraError(message, { cause: 'host', where, code: 'command' })
}

function shown(command: string): string {
  const text = command.replace(/\s+/g, ' ')
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}
