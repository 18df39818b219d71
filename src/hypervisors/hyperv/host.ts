import type { HostLimits } from '../limit.js'
import type { HostConnection } from '../shared/connection.js'
import { type CallOptions, refused } from '../shared/host-commands.js'
import { HostWatch } from '../shared/watch.js'
import type { Ask } from './ask.js'
import { type Read, readRow, readRows, stateOf, understand } from './output.js'

/** One Hyper-V host, and what its guests share. */
export interface HyperVHost {
  readonly id: string
  readonly connection: Pick<HostConnection, 'machine'>
  readonly ask: Ask
  /** Asked by a script over the WMI of 2008 and 2008 R2, which have no PowerShell module. */
  readonly isScripted: boolean
  readonly limits: HostLimits
  /** What the host says that it is: asked for once. */
  facts(call: CallOptions): Promise<Read<'facts'>>
  /** By identifier of the virtual machine. */
  readonly watch: HostWatch
}

export function createHyperVHost(
  id: string,
  { connection, ask, isScripted }: Pick<HyperVHost, 'connection' | 'ask' | 'isScripted'>,
  limits: HostLimits,
): HyperVHost {
  const watch = new HostWatch(
    async signal => {
      const machines = await listMachines({ id, ask }, { signal, limit: limits.command, where: id })
      return new Map(
        machines.map(({ id: vm, state }) => {
          // What needs a person is told by a look at the machine itself.
          const { power, question } = understand(id, () => stateOf(state))
          return [vm, { power: question === undefined ? power : 'paused', said: state, incarnation: null }]
        }),
      )
    },
    { everyMs: limits.watchEvery.ms, silenceMs: limits.silence.ms },
  )
  let known: Promise<Read<'facts'>> | null = null
  const facts = async (call: CallOptions): Promise<Read<'facts'>> => {
    known ??= ask('facts', [], call).then(rows => understand(id, () => readRow('facts', rows)))
    try {
      return await known
    } catch (error) {
      known = null
      throw error
    }
  }
  return { id, connection, ask, isScripted, limits, watch, facts }
}

/** Every virtual machine of a host. */
export async function listMachines(
  { id, ask }: Pick<HyperVHost, 'id' | 'ask'>,
  call: CallOptions,
): Promise<Read<'listed'>[]> {
  const rows = await ask('list', [], call)
  return understand(id, () => readRows('listed', rows))
}

/** The one virtual machine of a name; `null` where there is none. Throws InfraError where there are several. */
export async function findMachine(
  host: HyperVHost,
  name: string,
  call: CallOptions,
): Promise<Read<'listed'> | null> {
  const found = (await listMachines(host, call)).filter(machine => machine.name === name)
  if (found.length > 1) {
    throw refused(call.where, `${host.id} has ${found.length} virtual machines with the name ${name}`)
  }
  return found[0] ?? null
}
