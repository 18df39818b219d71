import { quote } from '../../remote/index.js'
import type { HostLimits } from '../limit.js'
import type { HostConnection } from '../shared/connection.js'
import { type CallOptions, type HostCommands, hostCommands, read } from '../shared/host-commands.js'
import { HostWatch } from '../shared/watch.js'
import { fieldOf, parseRecords, parseUuid, powerOf, type XeRecord } from './output.js'

/** One XenServer host, or one member of a pool, and what its guests share. */
export interface XenServerHost {
  readonly id: string
  readonly connection: HostConnection
  readonly shell: HostCommands
  readonly limits: HostLimits
  /** Machines by UUID. Any member of a pool knows those of all. */
  readonly watch: HostWatch
  /** Its own UUID in the pool. */
  uuid(signal: AbortSignal): Promise<string>
}

export function createHost(id: string, connection: HostConnection, limits: HostLimits): XenServerHost {
  const shell = hostCommands(connection, id)
  const watch = new HostWatch(
    async signal => {
      const text = await shell.demand(listMachines, { signal, limit: limits.command, where: id })
      return new Map(
        read(parseRecords, text, id).map(record => {
          const said = fieldOf(record, 'power-state')
          return [fieldOf(record, 'uuid'), { power: powerOf(said), said, incarnation: incarnationOf(record) }]
        }),
      )
    },
    { everyMs: limits.watchEvery.ms, silenceMs: limits.silence.ms },
  )
  let known: string | null = null
  return {
    id,
    connection,
    shell,
    limits,
    watch,
    uuid: async signal => {
      const call = { signal, limit: limits.command, where: id }
      known ??= read(parseUuid, await shell.demand(inventory('INSTALLATION_UUID'), call), id)
      return known
    },
  }
}

/** A shell command that prints one value of the host's inventory, which every member has of itself. */
function inventory(name: string): string {
  return `. /etc/xensource-inventory&&echo "$${name}"`
}

/** A shell command that runs xe. Objects are always named by UUID: without a selector xe takes all of them. */
export function xe(verb: string, ...words: readonly string[]): string {
  return ['PATH=$PATH:/opt/xensource/bin', 'xe', verb, ...words.map(quote)].join(' ')
}

const listMachines = xe('vm-list', 'is-control-domain=false', 'params=uuid,power-state,dom-id')

/** The number of the domain that runs it, which is another one after each start. */
export function incarnationOf(record: XeRecord): string | null {
  const domain = fieldOf(record, 'dom-id')
  return /^\d+$/.test(domain) ? domain : null
}

const cut = '--guestcert--'

/** Asks for several lists in one question; each with its records. */
export async function askLists(
  { id, shell }: Pick<XenServerHost, 'id' | 'shell'>,
  commands: readonly string[],
  call: CallOptions,
): Promise<XeRecord[][]> {
  const text = await shell.demand(commands.join(`&&echo ${cut}&&`), call)
  const parts = text.split(`${cut}\n`)
  return commands.map((_, index) => read(parseRecords, parts[index] ?? '', id))
}
