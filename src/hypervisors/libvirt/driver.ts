import type { Host, Placement } from '../../config/model.js'
import type { Machine } from '../../remote/index.js'
import type { Driver } from '../driver.js'
import { hostLimits } from '../limit.js'
import { ManagedVm } from '../managed-vm.js'
import { HostConnection } from '../shared/connection.js'
import { connectToHost } from '../shared/login.js'
import { reserving } from '../shared/reserve.js'
import { libvirtBackend } from './backend.js'
import { libvirtChecks } from './checks.js'
import { hostFacts } from './facts.js'
import { createHost, type LibvirtHost } from './host.js'
import { keptAccess } from './kept.js'
import { migrationUri, type Route } from './move.js'
import { describeInstance, type LeftInstance, listInstances, removeInstance } from './orphans.js'
import { abilitiesOf, expectedLibrary, isXen } from './versions.js'

/** What must be known of a host. */
export type LibvirtHostOptions = Pick<Host, 'id' | 'product' | 'version' | 'connect' | 'limits'>

export interface LibvirtDriverOptions {
  readonly host: LibvirtHostOptions
  /** `qemu:///system`, or `xen:///` on a Xen product, if absent. */
  readonly uri?: string
  /** A host of the lab, for guests that are moved to it; none if absent. */
  readonly second?: (id: string) => (LibvirtHostOptions & Pick<Host, 'driver'>) | undefined
  /** Opens the connection to a host in another way than the lab says. */
  readonly connect?: (signal: AbortSignal, host: string) => Promise<Machine>
  /**
   * Moves guests though libvirt does not know the file system of their disks for a shared one: for two hosts on one
   * machine, in tests. That the folder is the same is seen to in any case.
   */
  readonly unsafeMigration?: boolean
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
  const uri = options.uri ?? (xen ? 'xen:///' : 'qemu:///system')
  const host = openHost(described, uri, options)
  const { connection, limits } = host
  const made = new Set<ManagedVm>()
  /** The VMs that serve as instances themselves, and whose: two at once would undo each other. */
  const used = new Map<string, string>()
  const routes = new Map<string, Route>()
  const secondOf = ({ migratesTo }: Placement): LibvirtHostOptions | null => {
    const second = migratesTo === undefined ? undefined : options.second?.(migratesTo)
    const fits = second?.driver.name === 'libvirt' && second.id !== id && !xen && !isXen(second.product)
    return fits ? second : null
  }
  const routeOf = (placement: Placement): Route | null => {
    const second = secondOf(placement)
    if (second === null) {
      return null
    }
    const known = routes.get(second.id) ?? {
      first: host,
      second: openHost(second, uri, options),
      secondUri: migrationUri(second),
      unsafe: options.unsafeMigration === true,
    }
    routes.set(second.id, known)
    return known
  }

  return {
    name: 'libvirt',
    abilities: placement => {
      const second = secondOf(placement)
      const libraries = [described, ...(second === null ? [] : [second])].map(expectedLibrary)
      const known = libraries.map(library => abilitiesOf(library, xen, placement))
      const both = new Set(known[0])
      if (second === null || known[1]?.has('migrate') !== true) {
        both.delete('migrate')
      }
      if (product === 'qemu') {
        // Software emulation, which does not let go of vCPUs.
        both.delete('set-vcpus')
      }
      return both
    },
    machine: signal => connection.machine(signal),
    checks: request => libvirtChecks(host, request),
    facts: signal => hostFacts(host, { signal, limit: limits.command, where: id }),
    instance: request => {
      const backend = libvirtBackend({
        host,
        route: routeOf(request.placement),
        request,
        connect: described.connect,
      })
      const managed = new ManagedVm(reserving(backend, request, used), request)
      made.add(managed)
      return managed
    },
    instances: signal => listInstances(host, { signal, limit: limits.command, where: id }),
    keptAccess: (request, signal) => keptAccess(host, request, signal),
    leftovers: async signal =>
      (await listInstances(host, { signal, limit: limits.command, where: id })).map(describeInstance),
    clean: (name, signal) => removeInstance(host, name, { signal, limit: limits.command, where: name }),
    shell: signal => connection.machine(signal),
    close: async () => {
      for (const prepared of made) {
        prepared.release()
      }
      for (const each of [host, ...[...routes.values()].map(({ second }) => second)]) {
        each.watch.close()
        await each.connection.close()
      }
    },
  }
}

function openHost(described: LibvirtHostOptions, uri: string, options: LibvirtDriverOptions): LibvirtHost {
  const { id, product } = described
  const limits = hostLimits(described.limits)
  const connection = new HostConnection(
    id,
    signal =>
      options.connect?.(signal, id) ?? connectToHost(described, { driver: 'libvirt', limits, signal }),
  )
  return createHost({ id, xen: isXen(product), uri, connection, limits })
}
