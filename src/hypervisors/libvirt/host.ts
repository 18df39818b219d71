import { InfraError } from '../../config/errors.js'
import type { HostLimits } from '../limit.js'
import type { Glance } from '../managed-vm/observation.js'
import type { HostConnection } from '../shared/connection.js'
import { type CallOptions, read } from '../shared/host-commands.js'
import { HostWatch } from '../shared/watch.js'
import {
  type ListedDomain,
  parseList,
  parseState,
  parseVersions,
  type StateAnswer,
  type Versions,
} from './output.js'
import { powerOfState } from './power.js'
import { hasFeature } from './versions.js'
import { createVirsh, type Virsh } from './virsh.js'
import { parseXml, type XmlElement } from './xml.js'

/** One host and what its guests share. */
export interface LibvirtHost {
  readonly id: string
  readonly xen: boolean
  readonly connection: HostConnection
  readonly virsh: Virsh
  readonly limits: HostLimits
  readonly watch: HostWatch
  /** The versions of the host's libvirt; asked for once. */
  versions(call: CallOptions): Promise<Versions>
}

/** Where a domain is now: another host only after it was moved. */
export interface Location {
  host: LibvirtHost
  /** True once moving it was begun: then either host may have something of it. */
  hasMoved: boolean
}

export interface HostRequest {
  readonly id: string
  readonly xen: boolean
  readonly uri: string
  readonly connection: HostConnection
  readonly limits: HostLimits
}

export function createHost({ id, xen, uri, connection, limits }: HostRequest): LibvirtHost {
  const virsh = createVirsh(connection, id, uri)
  const glances = async (signal: AbortSignal): Promise<Map<string, Glance>> => {
    const listed = await listDomains(virsh, { signal, limit: limits.command, where: id })
    return new Map(
      [...listed].map(([name, { state, id: incarnation }]) => [
        name,
        { power: powerOfState(state), said: state, incarnation },
      ]),
    )
  }
  const watch = new HostWatch(glances, { everyMs: limits.watchEvery.ms, silenceMs: limits.silence.ms })
  let versions: Versions | null = null
  return {
    id,
    xen,
    connection,
    virsh,
    limits,
    watch,
    versions: async call => {
      versions ??= read(parseVersions, await virsh.call(['version'], call), id)
      return versions
    },
  }
}

/** Every domain of a host. */
export async function listDomains(virsh: Virsh, call: CallOptions): Promise<Map<string, ListedDomain>> {
  return read(parseList, await virsh.call(['list', '--all'], call), virsh.host)
}

/** A domain's state; `null` when there is no such domain. */
export async function stateOf(
  host: LibvirtHost,
  domain: string,
  call: CallOptions,
): Promise<StateAnswer | null> {
  const answer = await host.virsh.ask(await stateWords(host, domain, call), call)
  if (answer.code === 0) {
    return read(parseState, answer.stdout.text, host.id)
  }
  // Its messages differ from version to version; the list of domains does not.
  const listed = (await listDomains(host.virsh, call)).get(domain)
  return listed === undefined ? null : { state: listed.state, reason: null }
}

/** The words that ask virsh for a domain's state. */
export async function stateWords(host: LibvirtHost, domain: string, call: CallOptions): Promise<string[]> {
  const { library } = await host.versions(call)
  // virsh tells reasons from the version on that has virDomainGetState, as it has virDomainInjectNMI.
  return ['domstate', domain, ...(hasFeature(library, 'nmi') ? ['--reason'] : [])]
}

/** A domain's XML: of what runs, or of what would start next. */
export async function domainXml(
  host: LibvirtHost,
  domain: string,
  which: 'live' | 'inactive',
  call: CallOptions,
): Promise<XmlElement> {
  const newer = which === 'inactive' ? ['--inactive', '--security-info'] : []
  return readXml(await host.virsh.callWith(['dumpxml', domain], newer, call), domain, host.id)
}

/** Reads a domain's XML, and says whose it was when it cannot be read. */
export function readXml(text: string, domain: string, host: string): XmlElement {
  try {
    return parseXml(text.slice(Math.max(0, text.indexOf('<'))))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InfraError(`${host}: the XML of ${domain} cannot be read: ${why}`, {
      cause: 'host',
      where: host,
      code: 'driver',
    })
  }
}
