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
import { vmrunBackend } from './backend.js'
import { vmrunChecks } from './checks.js'
import { observeHost } from './facts.js'
import { createHost } from './host.js'
import { listInstances, removeInstance } from './instances.js'

type DescribedHost = Pick<Host, 'id' | 'connect'>

export interface VmrunDriverOptions extends Pick<OpenRequest, 'limits' | 'manage'> {
  readonly host: DescribedHost
  /** Opens the connection in another way than the lab says. */
  readonly connect?: (signal: AbortSignal) => Promise<Machine>
}

/** Guests of VMware Workstation, spoken to with vmrun over one SSH connection. */
export function createVmrunDriver({ host: described, limits, manage, connect }: VmrunDriverOptions): Driver {
  const { id } = described
  const connection = new HostConnection(
    id,
    connect ?? (signal => connectToHost(described, { driver: 'vmrun', limits, signal })),
  )
  const host = createHost(id, connection, limits)
  const inUse = new Map<string, string>()
  const callFor = (where: string, signal: AbortSignal): CallOptions => {
    return { signal, limit: limits.command, where }
  }
  /** What a guest runs on belongs to its facts. */
  const hostFacts = askOnce(async signal => (await observeHost(host, callFor(id, signal))).facts)

  return {
    name: 'vmrun',
    abilities: abilitiesOf,
    machine: signal => connection.machine(signal),
    checks: request => vmrunChecks(host, request),
    facts: hostFacts,
    instance: request => {
      const abilities = abilitiesOf(request.placement)
      const backend = vmrunBackend({ host, request, abilities, login: loginLine(described), hostFacts })
      return manage(reserving(backend, request, inUse), request)
    },
    leftovers: signal => listInstances(host, callFor(id, signal)),
    clean: (name, signal) => removeInstance(host, name, callFor(name, signal)),
    shell: signal => connection.machine(signal),
    close: async () => {
      host.watch.close()
      await connection.close()
    },
  }
}
