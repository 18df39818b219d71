import type { Access, GuestRequest } from '../driver.js'
import { accessAt } from '../reach.js'
import { findAddresses } from './address.js'
import { macs } from './domain.js'
import { domainXml, type LibvirtHost } from './host.js'

/** How an instance that was kept is reached, by what its host knows of it now. @throws InfraError when it is not there. */
export async function keptAccess(
  host: LibvirtHost,
  { instance, placement }: Pick<GuestRequest, 'instance' | 'placement'>,
  signal: AbortSignal,
): Promise<Access> {
  const { clean, vm, endpoint, viaHost } = placement
  const domain = clean.kind === 'overlay' || clean.kind === 'copy' ? instance : (vm ?? instance)
  const { limits, virsh } = host
  const call = { signal, limit: limits.command, where: instance }
  const addresses =
    endpoint === undefined
      ? await findAddresses(virsh, {
          domain,
          macs: macs(await domainXml(host, domain, 'live', call)),
          library: (await host.versions(call)).library,
          call,
          // It runs already: what is not known at once is not known.
          limit: limits.command,
          everyMs: limits.lookEvery.ms,
          asksAll: true,
        })
      : []
  const via = viaHost ? { via: await host.connection.machine(signal) } : {}
  return { ...accessAt(endpoint, addresses), ...via }
}
