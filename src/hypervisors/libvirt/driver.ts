import { InfraError } from '../../config/errors.js'
import type { Host } from '../../config/model.js'
import { connect, type Machine } from '../../remote/index.js'
import type { Driver } from '../driver.js'
import { connectionLimits, hostLimits } from '../limit.js'
import { libvirtChecks } from './checks.js'
import { HostConnection } from './connection.js'
import { hostFacts } from './facts.js'
import { createHost } from './host.js'
import { describeInstance, type LeftInstance, listInstances, removeInstance } from './orphans.js'
import { type LibvirtPrepared, prepareInstance } from './prepared.js'
import { abilitiesOf, expectedLibrary, isXen } from './versions.js'

export interface LibvirtDriverOptions {
  readonly host: Pick<Host, 'id' | 'product' | 'version' | 'connect' | 'limits'>
  /** `qemu:///system`, or `xen:///` on a Xen product, if absent. */
  readonly uri?: string
  /** Opens the connection in another way than the lab says. */
  readonly connect?: (signal: AbortSignal) => Promise<Machine>
}

/** A driver that also finds and removes what dead runs left on its host. */
export interface LibvirtDriver extends Driver {
  /** Every instance on the host, whoever's run it was. */
  instances(signal: AbortSignal): Promise<LeftInstance[]>
  /** Ends an instance and removes what was made for it; again, if need be. */
  clean(name: string, signal: AbortSignal): Promise<void>
}

/** Guests of a libvirt host, spoken to with virsh over one SSH connection. */
export function createLibvirtDriver(options: LibvirtDriverOptions): LibvirtDriver {
  const { host: described } = options
  const { id, product } = described
  const xen = isXen(product)
  const limits = hostLimits(described.limits)
  const connection = new HostConnection(id, options.connect ?? (signal => connectTo(options, signal)))
  const uri = options.uri ?? (xen ? 'xen:///' : 'qemu:///system')
  const host = createHost({ id, xen, uri, connection, limits })
  const made = new Set<LibvirtPrepared>()
  /** The VMs that serve as instances themselves, and whose: two at once would undo each other. */
  const used = new Map<string, string>()

  return {
    name: 'libvirt',
    abilities: placement => abilitiesOf(expectedLibrary(described), xen, placement),
    machine: signal => connection.machine(signal),
    checks: request => libvirtChecks(host, request),
    facts: signal => hostFacts(host, { signal, limit: limits.command, where: id }),
    prepare: async (request, signal) => {
      const { clean, vm } = request.placement
      const own = clean.kind === 'snapshot' || clean.kind === 'none' ? vm : undefined
      if (own !== undefined) {
        reserve(used, own, request.instance)
      }
      const free = (): void => {
        if (own !== undefined) {
          used.delete(own)
        }
      }
      try {
        const prepared = await prepareInstance({ host, request, connect: described.connect }, signal)
        made.add(prepared)
        return {
          ...prepared,
          remove: async until => {
            await prepared.remove(until)
            made.delete(prepared)
            free()
          },
        }
      } catch (error) {
        free()
        throw error
      }
    },
    instances: signal => listInstances(host, { signal, limit: limits.command, where: id }),
    leftovers: async signal =>
      (await listInstances(host, { signal, limit: limits.command, where: id })).map(describeInstance),
    clean: (name, signal) => removeInstance(host, name, { signal, limit: limits.command, where: name }),
    shell: signal => connection.machine(signal),
    close: async () => {
      host.watch.close()
      for (const prepared of made) {
        prepared.release()
      }
      await connection.close()
    },
  }
}

function reserve(used: Map<string, string>, vm: string, instance: string): void {
  const other = used.get(vm)
  if (other !== undefined) {
    throw new InfraError(`${instance}: the VM ${vm} is in use by ${other}`, {
      cause: 'runner',
      where: instance,
      code: 'capacity',
    })
  }
  used.set(vm, instance)
}

function connectTo({ host }: LibvirtDriverOptions, signal: AbortSignal): Promise<Machine> {
  if (host.connect === undefined) {
    throw new InfraError(`host ${host.id}: the driver libvirt needs "connect": how to reach it over SSH`, {
      cause: 'runner',
      where: host.id,
      code: 'driver',
    })
  }
  const { endpoint, login } = host.connect
  return connect({
    endpoint,
    login,
    label: host.id,
    limits: connectionLimits(hostLimits(host.limits)),
    signal,
  })
}
