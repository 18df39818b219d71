import { InfraError } from '../../config/errors.js'
import { quote } from '../../remote/index.js'
import type { HostConnection } from '../shared/connection.js'
import {
  type Answer,
  type CallOptions,
  type HostCommands,
  hostCommands,
  refusal,
} from '../shared/host-commands.js'
import { isAtLeast } from './versions.js'

/** A host's commands and its virsh. */
export interface Virsh extends HostCommands {
  readonly uri: string
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
  const commands = hostCommands(connection, host)
  const words = (args: readonly string[], other = uri): string =>
    ['virsh', '-c', other, ...args].map(quote).join(' ')
  return {
    ...commands,
    uri,
    words,
    ask: (args, options) => commands.run(words(args), options),
    call: (args, options) => commands.demand(words(args), options),
    callWith: async (args, newer, options) => {
      let left = newer
      for (;;) {
        const command = words([...args, ...left])
        const answer = await commands.run(command, options)
        if (answer.code === 0) {
          return answer.stdout.text
        }
        const unknown = unknownOption(answer.stderr, left)
        if (unknown === null) {
          throw refusal(`${options.where} on ${host}`, command, answer)
        }
        left = left.filter(option => option !== unknown)
      }
    },
  }
}

/** A shell command that gives the XML a file of its own, which only its owner reads, to a virsh command. */
export function withXmlFile(virsh: Virsh, before: readonly string[]): string {
  // virsh of old reads files only, and standard input may be a socket, which cannot be opened by name.
  const run = `${virsh.words(before)} "$f"`
  return `f=$(mktemp /tmp/guestcert.XXXXXX)&&cat >"$f"&&${run};s=$?;rm -f "$f";exit $s`
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
