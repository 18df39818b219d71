import { InfraError } from '../../config/errors.js'
import type { ApiConnection } from '../../config/model.js'
import type { Limit } from '../limit.js'
import { type Properties, readInventory, readObject } from './api/properties.js'
import { isSame, type Reference, referenceOf } from './soap/element.js'
import { type CallOptions, Session } from './soap/session.js'
import { tag } from './soap/write.js'

/** One vCenter, or one ESXi host by itself: a session that all of its hosts in a lab share. */
export interface VsphereSite {
  readonly session: Session
  /** A host by its name there; the only one where none is named. Throws InfraError. */
  host(name: string | undefined, options: CallOptions): Promise<SiteHost>
  /** What a host is called there. */
  hostName(host: Reference, options: CallOptions): Promise<string>
  /** A virtual machine by its name, or by its path in the inventory. Throws InfraError unless there is just one. */
  machine(name: string, options: CallOptions): Promise<Reference>
  /** The same, `null` where there is none. */
  findMachine(name: string, options: CallOptions): Promise<Reference | null>
  /** Gives the site back: the last one ends its session. */
  release(): Promise<void>
}

/** A host as its site has it. */
export interface SiteHost {
  readonly self: Reference
  readonly name: string
  /** The host or cluster whose resources it lends. */
  readonly computeResource: Reference
  /** Where machines on it get their resources from. */
  readonly pool: Reference
}

interface Open {
  readonly session: Session
  readonly names: Map<string, string>
  users: number
}

const sites = new Map<string, Open>()

/** Opens a site, or takes the one that is open with the same login. Nothing is connected to yet. */
export function openSite(api: ApiConnection, limit: Limit): VsphereSite {
  const key = JSON.stringify([api.url, api.user, api.password, api.certificate, api.tls, limit.ms])
  const open: Open = sites.get(key) ?? { session: new Session(api, limit), names: new Map(), users: 0 }
  sites.set(key, open)
  open.users += 1
  const { session, names } = open
  const trouble = (why: string, { where }: CallOptions): InfraError =>
    new InfraError(`${where} by ${api.url}: ${why}`, { cause: 'host', where, code: 'driver' })
  const findMachine = async (name: string, options: CallOptions): Promise<Reference | null> => {
    const found = await machinesNamed(session, name, options)
    if (found.length > 1) {
      throw trouble(
        `${found.length} virtual machines are called "${name}": say which one by its path, such as "DC/vm/lab/${name}"`,
        options,
      )
    }
    return found[0] ?? null
  }
  let isReleased = false
  return {
    session,
    host: async (name, options) => {
      const hosts = await readInventory(session, { HostSystem: ['name', 'parent'] }, options)
      const found = hosts.filter(each => name === undefined || each.text('name') === name)
      const [only] = found
      if (only === undefined || found.length > 1) {
        const known = hosts.map(each => each.text('name')).join(', ') || 'no hosts'
        throw trouble(
          name === undefined
            ? `it manages ${known}: say which one in "connect: { host: NAME }"`
            : `unknown host "${name}": it has ${known}`,
          options,
        )
      }
      return siteHost(session, only, options)
    },
    hostName: async (host, options) => {
      const known = names.get(host.value)
      const name = known ?? (await readObject(session, host, ['name'], options))?.text('name') ?? host.value
      names.set(host.value, name)
      return name
    },
    machine: async (name, options) => {
      const found = await findMachine(name, options)
      if (found === null) {
        throw trouble(`unknown virtual machine "${name}"`, options)
      }
      return found
    },
    findMachine,
    release: async () => {
      open.users -= isReleased ? 0 : 1
      isReleased = true
      if (open.users === 0) {
        sites.delete(key)
        await session.close()
      }
    },
  }
}

async function siteHost(session: Session, host: Properties, options: CallOptions): Promise<SiteHost> {
  const computeResource = referenceOf(host.at('parent'))
  const above = computeResource && (await readObject(session, computeResource, ['resourcePool'], options))
  const pool = referenceOf(above?.at('resourcePool'))
  const name = host.text('name') ?? ''
  if (computeResource === undefined || pool === undefined) {
    throw new InfraError(`${options.where}: the host ${name} has no resource pool that can be seen`, {
      cause: 'host',
      where: options.where,
      code: 'driver',
    })
  }
  return { self: host.self, name, computeResource, pool }
}

async function machinesNamed(session: Session, name: string, options: CallOptions): Promise<Reference[]> {
  if (name.includes('/')) {
    const self = (await session.content(options)).manager('searchIndex')
    const args = [tag('inventoryPath', name.replace(/^\//, ''))]
    const found = self && (await session.call({ self, method: 'FindByInventoryPath', args }, options))
    const reference = referenceOf(found)
    return reference?.type === 'VirtualMachine' ? [reference] : []
  }
  const all = await readInventory(session, { VirtualMachine: ['name'] }, options)
  return all.filter(each => each.text('name') === name).map(({ self }) => self)
}

/** The folder of a datastore's files for HTTP: the datacenter that a machine is in, by its path in the inventory. */
export async function datacenterOf(
  session: Session,
  machine: Reference,
  options: CallOptions,
): Promise<{ readonly self: Reference; readonly path: string } | null> {
  const root = (await session.content(options)).manager('rootFolder')
  let datacenter: Reference | null = null
  const path: string[] = []
  let at: Reference | undefined = machine
  while (at !== undefined && !isSame(at, root)) {
    const seen: Properties | null = await readObject(session, at, ['name', 'parent'], options)
    datacenter ??= at.type === 'Datacenter' ? at : null
    if (datacenter !== null) {
      path.unshift(seen?.text('name') ?? '')
    }
    at = referenceOf(seen?.at('parent'))
  }
  return datacenter === null ? null : { self: datacenter, path: path.join('/') }
}
