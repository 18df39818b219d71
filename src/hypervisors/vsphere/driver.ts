import { InfraError } from '../../config/errors.js'
import type { GivenHostLimits } from '../../config/host-limits.js'
import type { ApiConnection, Host } from '../../config/model.js'
import type { Driver } from '../driver.js'
import { hostLimits } from '../limit.js'
import type { Hint } from '../managed-vm/backend.js'
import { ManagedVm } from '../managed-vm.js'
import { HostWatch } from '../shared/watch.js'
import { abilitiesOf } from './abilities.js'
import { vsphereBackend } from './backend.js'
import { vsphereChecks } from './checks.js'
import { hostFacts } from './facts.js'
import { listLeftovers, removeLeftover } from './instances.js'
import { answerLease } from './lease.js'
import { openSite, type SiteHost } from './site.js'
import { isSame, type Reference } from './soap/element.js'
import type { CallOptions } from './soap/session.js'
import { glances, type VsphereHost } from './vm.js'

export interface VsphereDriverOptions {
  readonly host: Pick<Host, 'id' | 'version' | 'api' | 'emulated' | 'limits'>
  readonly second: (id: string) => Pick<Host, 'id' | 'version' | 'api' | 'emulated' | 'limits'> | undefined
}

/** Every look is a question over the network to a server that many ask. */
const ownLimits: GivenHostLimits = { command: 60_000, lookEvery: 1_000, watchEvery: 5_000, unplug: 60_000 }

/** Guests of an ESXi host, through the API of its vCenter or its own. */
export function createVsphereDriver({ host: declared, second }: VsphereDriverOptions): Driver {
  const limits = hostLimits(declared.limits, ownLimits)
  const { id } = declared
  const opened: { release(): Promise<void> }[] = []
  const hosts = new Map<string, VsphereHost>()
  const open = (each: Pick<Host, 'id' | 'api'>): VsphereHost => {
    const known = hosts.get(each.id)
    if (known !== undefined) {
      return known
    }
    const host = hostAt(each.id, apiOf(each), limits, () => [...hosts.values()])
    hosts.set(each.id, host)
    opened.push(host.site)
    return host
  }
  const host = open(declared)
  const watched = new Map<string, Reference>()
  const watch = new HostWatch(
    signal => glances(host, [...watched.values()], { signal, limit: limits.command, where: id }),
    { everyMs: limits.watchEvery.ms, silenceMs: limits.silence.ms },
  )
  const watchMachine = (machine: Reference, tell: (hint: Hint) => void): (() => void) => {
    watched.set(machine.value, machine)
    const stop = watch.add(machine.value, tell)
    return () => {
      watched.delete(machine.value)
      stop()
    }
  }
  const made = new Set<ManagedVm>()
  const options = (signal: AbortSignal): CallOptions => ({ signal, limit: limits.command, where: id })
  const facts = (signal: AbortSignal): Promise<Record<string, string>> => hostFacts(host, options(signal))
  const secondOf = (to: string | undefined): ReturnType<VsphereDriverOptions['second']> =>
    to === undefined ? undefined : second(to)

  return {
    name: 'vsphere',
    abilities: placement =>
      abilitiesOf({ host: declared, placement, second: secondOf(placement.migratesTo) }),
    facts,
    checks: request => vsphereChecks(host, request),
    instance: request => {
      const { placement } = request
      const other = secondOf(placement.migratesTo)
      const abilities = abilitiesOf({ host: declared, placement, second: other })
      const backend = vsphereBackend({
        host,
        second: other?.api === undefined ? undefined : open(other),
        request,
        abilities,
        watch: watchMachine,
        facts,
      })
      const managed = new ManagedVm(backend, request)
      made.add(managed)
      return managed
    },
    shell: async () => ({
      label: id,
      lease: async (question, given) => {
        const asked = { signal: given.signal, limit: { name: 'command', ms: given.limitMs }, where: id }
        return answerLease(host.site.session, await host.here(asked), question, asked)
      },
      run: async () => {
        throw new InfraError(`${id}: the driver vsphere has no shell there`, {
          cause: 'runner',
          where: id,
          code: 'driver',
        })
      },
    }),
    leftovers: signal => listLeftovers(host, signal),
    clean: (name, signal) => removeLeftover(host, name, signal),
    close: async () => {
      watch.close()
      for (const each of made) {
        each.release()
      }
      await Promise.all(opened.map(site => site.release()))
    },
  }
}

function apiOf({ id, api }: Pick<Host, 'id' | 'api'>): ApiConnection {
  return (
    api ?? {
      url: 'https://127.0.0.1:0',
      user: '',
      password: { kind: 'env', name: `the host ${id} has no "connect"` },
      certificate: '',
      tls: '1.2',
    }
  )
}

function hostAt(
  id: string,
  api: ApiConnection,
  limits: VsphereHost['limits'],
  labHosts: () => readonly VsphereHost[],
): VsphereHost {
  const site = openSite(api, limits.command)
  let found: Promise<SiteHost> | null = null
  const here = (options: CallOptions): Promise<SiteHost> => {
    const looking = (found ??= site.host(api.host, options))
    looking.catch(() => {
      found = found === looking ? null : found
    })
    return looking
  }
  return {
    id,
    site,
    limits,
    here,
    labName: async (self, options) => {
      if (self === undefined) {
        return id
      }
      for (const each of labHosts()) {
        if (isSame((await each.here(options)).self, self)) {
          return each.id
        }
      }
      return site.hostName(self, options)
    },
  }
}
