import { setTimeout as wait } from 'node:timers/promises'
import { InfraError } from '../../config/errors.js'
import { quote } from '../../remote/index.js'
import type { HostLimits } from '../limit.js'
import type { Glance } from '../managed-vm/observation.js'
import type { HostConnection } from '../shared/connection.js'
import { type CallOptions, type HostCommands, hostCommands, read } from '../shared/host-commands.js'
import { runSeveral, type Said } from '../shared/several.js'
import { HostWatch } from '../shared/watch.js'
import { parseQuestion, parseWorlds } from './output.js'
import { faultOf, isUnreached } from './words.js'

/** One ESXi host, and what its guests share. */
export interface EsxiHost {
  readonly id: string
  readonly connection: HostConnection
  readonly shell: HostCommands
  readonly limits: HostLimits
  /** Machines by the path of their configuration, without links. */
  readonly watch: HostWatch
  /** The ids of the machines that are watched, by the same path. */
  readonly watched: Map<string, () => string>
}

export function createHost(id: string, connection: HostConnection, limits: HostLimits): EsxiHost {
  const watch = new HostWatch(signal => glance(host, signal), {
    everyMs: limits.watchEvery.ms,
    silenceMs: limits.silence.ms,
  })
  const host: EsxiHost = {
    id,
    connection,
    shell: hostCommands(connection, id),
    limits,
    watch,
    watched: new Map(),
  }
  return host
}

/**
 * What runs, and what asks: a machine that waits for an answer, as when its datastore is full, is "powered on" all the
 * same.
 */
async function glance(host: EsxiHost, signal: AbortSignal): Promise<ReadonlyMap<string, Glance>> {
  const watched = [...host.watched]
  const call = { signal, limit: host.limits.command, where: host.id }
  const messages = watched.map(([, vmid]) => vimCmd('vmsvc/message', vmid()))
  const [worlds, ...said] = await askAll(host, [listWorlds, ...messages], call)
  const asking = new Set(
    watched.flatMap(([path], index) => {
      const answer = said[index]
      const asks = answer !== undefined && faultOf(answer) === null && parseQuestion(answer.text) !== null
      return asks ? [path] : []
    }),
  )
  return new Map(
    parseWorlds(worlds === undefined ? '' : demanded(host, listWorlds, worlds, call)).map(world => {
      const isAsking = asking.has(world.config)
      const glanced: Glance = isAsking
        ? { power: 'ending', said: 'waits for an answer', incarnation: world.id }
        : { power: 'on', said: 'poweredOn', incarnation: world.id }
      return [world.config, glanced]
    }),
  )
}

/** A shell command that runs vim-cmd. */
export function vimCmd(verb: string, ...words: readonly string[]): string {
  return ['vim-cmd', verb, ...words.map(quote)].join(' ')
}

export const listMachines: string = vimCmd('vmsvc/getallvms')
export const listWorlds = 'esxcli vm process list'

/**
 * Gives several commands in one question, for each starts a session of its own: what each printed, and its status. They
 * are given again while hostd cannot be spoken to, within the limit of the call; `changes` says which of them changes
 * something, and decides alone then.
 */
export async function askAll(
  { shell, limits }: Pick<EsxiHost, 'shell' | 'limits'>,
  commands: readonly string[],
  call: CallOptions,
  changes?: number,
): Promise<Said[]> {
  const startedAt = performance.now()
  for (;;) {
    const said = await runSeveral(shell, commands, call, 'PATH=$PATH:/bin:/sbin;')
    const decisive = changes === undefined ? said : said.slice(changes, changes + 1)
    if (!decisive.some(isUnreached) || performance.now() - startedAt > call.limit.ms) {
      return said
    }
    await wait(limits.lookEvery.ms, undefined, { signal: call.signal }).catch(() => {})
  }
}

/** What a command printed, which must have succeeded. Throws InfraError in the host's words. */
export function demanded(
  { id }: Pick<EsxiHost, 'id'>,
  command: string,
  said: Said | undefined,
  { where }: Pick<CallOptions, 'where'>,
): string {
  const fault = said === undefined ? { text: 'no answer' } : faultOf(said)
  if (said === undefined || fault !== null) {
    const message = `${where} on ${id}: ${command}: ${fault?.text ?? ''}`
    throw new InfraError(message, { cause: 'host', where, code: 'command' })
  }
  return said.text
}

/** Asks one question that must be answered, and reads the answer. */
export async function ask<T>(
  host: EsxiHost,
  command: string,
  parse: (text: string) => T,
  call: CallOptions,
): Promise<T> {
  const [said] = await askAll(host, [command], call)
  return read(parse, demanded(host, command, said, call), host.id)
}
