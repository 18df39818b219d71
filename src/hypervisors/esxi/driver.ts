import type { Host } from '../../config/model.js'
import type { Machine } from '../../remote/index.js'
import type { Driver } from '../driver.js'
import type { OpenRequest } from '../module.js'
import { askOnce } from '../shared/ask-once.js'
import { HostConnection } from '../shared/connection.js'
import type { CallOptions } from '../shared/host-commands.js'
import { connectToHost, loginLine } from '../shared/login.js'
import { reserving } from '../shared/reserve.js'
import { abilitiesOf } from './abilities.js'
import { esxiBackend } from './backend.js'
import { esxiChecks } from './checks.js'
import { observeHost } from './facts.js'
import { createHost } from './host.js'
import { describeInstance, listInstances, removeInstance } from './instances.js'

type DescribedHost = Pick<Host, 'id' | 'connect'>

export interface EsxiDriverOptions extends Pick<OpenRequest, 'limits' | 'manage'> {
  readonly host: DescribedHost
  /** Opens the connection in another way than the lab says. */
  readonly connect?: (signal: AbortSignal) => Promise<Machine>
}

/** Guests of an ESXi host, spoken to with its own commands over one SSH connection. */
export function createEsxiDriver({ host: described, limits, manage, connect }: EsxiDriverOptions): Driver {
  const { id } = described
  const connection = new HostConnection(
    id,
    connect ?? (signal => connectToHost(described, { driver: 'esxi', limits, signal })),
  )
  const host = createHost(id, connection, limits)
  const inUse = new Map<string, string>()
  const callFor = (where: string, signal: AbortSignal): CallOptions => {
    return { signal, limit: limits.command, where }
  }
  /** What a guest runs on belongs to its facts. */
  const hostFacts = askOnce(async signal => (await observeHost(host, callFor(id, signal))).facts)

  return {
    name: 'esxi',
    abilities: abilitiesOf,
    machine: signal => connection.machine(signal),
    checks: request => esxiChecks(host, request),
    facts: hostFacts,
    instance: request => {
      const abilities = abilitiesOf(request.placement)
      const backend = esxiBackend({ host, request, abilities, login: loginLine(described), hostFacts })
      return manage(reserving(backend, request, inUse), request)
    },
    leftovers: async signal => (await listInstances(host, callFor(id, signal))).map(describeInstance),
    clean: (name, signal) => removeInstance(host, name, callFor(name, signal)),
    shell: signal => connection.machine(signal),
    close: async () => {
      host.watch.close()
      await connection.close()
    },
  }
}
