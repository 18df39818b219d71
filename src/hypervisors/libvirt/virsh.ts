import { InfraError } from '../../config/errors.js'
import { type CommandResult, quote, type Sink } from '../../remote/index.js'
import type { Limit } from '../limit.js'
import { tail } from '../qemu/tool.js'
import type { HostConnection } from './connection.js'
import { UnknownOutput } from './output.js'
import { isAtLeast } from './versions.js'

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

/** A host's shell and its virsh. Every call throws InfraError that names command, host and output. */
export interface Virsh {
  readonly host: string
  readonly uri: string
  /** Runs a shell command to its end; any exit status is an answer. */
  shell(command: string, options: CallOptions): Promise<Answer>
  /** Runs a shell command whose exit status must be 0; gives its standard output. */
  demand(command: string, options: CallOptions): Promise<string>
  /** Runs virsh; any exit status is an answer. */
  ask(args: readonly string[], options: CallOptions): Promise<Answer>
  /** Runs virsh, whose exit status must be 0; gives its standard output. */
  call(args: readonly string[], options: CallOptions): Promise<string>
  /** The same with options that older versions do not know: those are left out where they are refused. */
  callWith(args: readonly string[], newer: readonly string[], options: CallOptions): Promise<string>
  /** The words of a shell command that runs virsh: here, or with another libvirt. */
  words(args: readonly string[], other?: string): string
}

/** Speaks to a host's virsh over its connection. */
export function createVirsh(connection: HostConnection, host: string, uri: string): Virsh {
  const words = (args: readonly string[], other = uri): string =>
    ['virsh', '-c', other, ...args].map(quote).join(' ')

  const shell = async (command: string, options: CallOptions): Promise<Answer> => {
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
  const demand = async (command: string, options: CallOptions): Promise<string> => {
    const answer = await shell(command, options)
    if (answer.code !== 0) {
      throw refusal(`${options.where} on ${host}`, command, answer)
    }
    return answer.stdout.text
  }
  const call = (args: readonly string[], options: CallOptions): Promise<string> =>
    demand(words(args), options)
  return {
    host,
    uri,
    shell,
    demand,
    words,
    ask: (args, options) => shell(words(args), options),
    call,
    callWith: async (args, newer, options) => {
      let left = newer
      for (;;) {
        const command = [...args, ...left]
        const answer = await shell(words(command), options)
        if (answer.code === 0) {
          return answer.stdout.text
        }
        const unknown = unknownOption(answer.stderr, left)
        if (unknown === null) {
          throw refusal(`${options.where} on ${host}`, words(command), answer)
        }
        left = left.filter(option => option !== unknown)
      }
    },
  }
}

/** Reads an output, and says whose it was when it cannot be read. */
export function read<T>(parse: (text: string) => T, text: string, host: string): T {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof UnknownOutput) {
      throw hostError(host, `virsh on ${host}: ${error.message}`)
    }
    throw error
  }
}

/** Trouble that is the host's. */
export function hostError(where: string, message: string): InfraError {
  return new InfraError(message, { cause: 'host', where, code: 'driver' })
}

/**
 * Checks a name before it becomes a word of virsh: a number is taken for an id, a dash in front for an
 * option, and virsh of old (src/virsh.c of 0.1 to 0.8) joins its words with blanks and splits them again.
 */
export function checkName(name: string, kind: string, where: string, library: string): string {
  const isJoined = !isAtLeast(library, '1.0.0') && /[\s'"\\;]/.test(name)
  const why = /^\d+$/.test(name)
    ? 'virsh takes a number for an id'
    : /^-|\p{Cc}/u.test(name)
      ? 'virsh takes a dash in front for an option, and no control characters'
      : isJoined
        ? `virsh ${library} takes no names with blanks, quotes, backslashes or semicolons`
        : null
  if (why !== null) {
    throw new InfraError(`${where}: "${name}" cannot be the name of a ${kind}: ${why}`, {
      cause: 'runner',
      where,
      code: 'driver',
    })
  }
  return name
}

/** The first of the options that virsh says it does not know. */
function unknownOption(stderr: string, options: readonly string[]): string | null {
  const [, named] =
    /(?:support option|unsupported option|unexpected data|option)\s+'?(--[a-z-]+)'?/.exec(stderr) ?? []
  return options.find(option => option === named) ?? null
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

function refusal(where: string, command: string, { code, stdout, stderr }: Answer): InfraError {
  const message = `${where}: ${shown(command)} ended with status ${code}: ${tail(`${stderr}\n${stdout.text}`)}`
  return new InfraError(message, { cause: 'host', where, code: 'command' })
}

function shown(command: string): string {
  const text = command.replace(/\s+/g, ' ')
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}
