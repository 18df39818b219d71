import type { Host } from '../../config/model.js'
import type { Machine } from '../../remote/index.js'
import type { Driver } from '../driver.js'
import { type HostLimits, hostLimits } from '../limit.js'
import type { OpenRequest } from '../module.js'
import { askOnce } from '../shared/ask-once.js'
import { HostConnection } from '../shared/connection.js'
import { connectToHost, loginLine } from '../shared/login.js'
import { reserving } from '../shared/reserve.js'
import { abilitiesOf } from './abilities.js'
import { xenServerBackend } from './backend.js'
import { xenServerChecks } from './checks.js'
import { observeHost } from './facts.js'
import { createHost, type XenServerHost } from './host.js'
import { describeInstance, listInstances, removeInstance } from './instances.js'

type DescribedHost = Pick<Host, 'id' | 'product' | 'version' | 'connect' | 'limits'>

export interface XenServerDriverOptions extends Pick<OpenRequest, 'second' | 'limits' | 'manage'> {
  readonly host: DescribedHost
  /** Opens the connection in another way than the lab says. */
  readonly connect?: (signal: AbortSignal, host: string) => Promise<Machine>
}

/** Guests of a XenServer host or pool, spoken to with xe over one SSH connection to each host. */
export function createXenServerDriver(options: XenServerDriverOptions): Driver {
  const { host: described, limits, manage } = options
  const { id } = described
  const host = open(described, limits, options)
  const seconds = new Map<string, XenServerHost>()
  const inUse = new Map<string, string>()

  const secondOf = (wanted: string | undefined): XenServerHost | null => {
    const found = wanted === undefined ? undefined : options.second(wanted)
    if (found === undefined) {
      return null
    }
    const known = seconds.get(found.id) ?? open(found, hostLimits(found.limits), options)
    seconds.set(found.id, known)
    return known
  }
  /** What a guest runs on belongs to its facts. */
  const hostFacts = askOnce(async (signal): Promise<Readonly<Record<string, string>>> => {
    return (await observeHost(host, { signal, limit: limits.command, where: id })).facts
  })

  return {
    name: 'xenserver',
    abilities: placement => abilitiesOf(placement, described),
    machine: signal => host.connection.machine(signal),
    checks: request => xenServerChecks(host, request),
    facts: hostFacts,
    instance: request => {
      const { placement } = request
      const backend = xenServerBackend({
        host,
        second: secondOf(placement.migratesTo),
        request,
        abilities: abilitiesOf(placement, described),
        login: loginLine(described),
        hostFacts,
      })
      return manage(reserving(backend, request, inUse), request)
    },
    leftovers: async signal =>
      (await listInstances(host, { signal, limit: limits.command, where: id })).map(describeInstance),
    clean: (name, signal) => removeInstance(host, name, { signal, limit: limits.command, where: name }),
    shell: signal => host.connection.machine(signal),
    close: async () => {
      for (const each of [host, ...seconds.values()]) {
        each.watch.close()
        await each.connection.close()
      }
    },
  }
}

function open(described: DescribedHost, limits: HostLimits, options: XenServerDriverOptions): XenServerHost {
  const { id } = described
  const connection = new HostConnection(
    id,
    signal =>
      options.connect?.(signal, id) ?? connectToHost(described, { driver: 'xenserver', limits, signal }),
  )
  return createHost(id, connection, limits)
}
