import { quote } from '../../remote/index.js'
import type { HostLimits } from '../limit.js'
import type { HostConnection } from '../shared/connection.js'
import {
  type CallOptions,
  type HostCommands,
  hostCommands,
  hostError,
  read,
} from '../shared/host-commands.js'
import { runSeveral, type Said } from '../shared/several.js'
import { HostWatch } from '../shared/watch.js'
import { faultOf, parseRunning } from './output.js'

/** One machine with VMware Workstation, and what its guests share. */
export interface VmrunHost {
  readonly id: string
  readonly connection: HostConnection
  readonly shell: HostCommands
  readonly limits: HostLimits
  /** Machines by the path of their configuration, without links. */
  readonly watch: HostWatch
}

export function createHost(id: string, connection: HostConnection, limits: HostLimits): VmrunHost {
  const shell = hostCommands(connection, id)
  const watch = new HostWatch(
    async signal => {
      const call = { signal, limit: limits.command, where: id }
      const running = await demandOf(shell, listRunning, parseRunning, call)
      return new Map(running.map(file => [file, { power: 'on', said: 'running', incarnation: null }]))
    },
    { everyMs: limits.watchEvery.ms, silenceMs: limits.silence.ms },
  )
  return { id, connection, shell, limits, watch }
}

/** A shell command that runs vmrun. Machines of other users of the host are not seen by it. */
export function vmrun(verb: string, ...words: readonly string[]): string {
  return ['vmrun', '-T', 'ws', verb, ...words.map(quote)].join(' ')
}

export const listRunning: string = vmrun('list')

/** Runs one command to its end: what it said. */
export async function say(shell: HostCommands, command: string, call: CallOptions): Promise<Said> {
  const [said] = await runSeveral(shell, [command], call)
  return said ?? { code: 1, text: '' }
}

/** What a command printed, which must have succeeded. Throws InfraError in the host's words. */
export function demanded(shell: HostCommands, command: string, said: Said, { where }: CallOptions): string {
  const fault = faultOf(said)
  if (fault !== null) {
    throw hostError(where, `${where} on ${shell.host}: ${command}: ${fault}`)
  }
  return said.text
}

/** Asks one question that must be answered, and reads the answer. */
export async function demandOf<T>(
  shell: HostCommands,
  command: string,
  parse: (text: string) => T,
  call: CallOptions,
): Promise<T> {
  return read(parse, demanded(shell, command, await say(shell, command, call), call), shell.host)
}
