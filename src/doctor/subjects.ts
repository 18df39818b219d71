import { randomBytes } from 'node:crypto'
import { InfraError } from '../config/errors.js'
import type { Family, Guest, Host, Lab, Placement } from '../config/model.js'
import { deadlineSignal } from '../deadline/deadline.js'
import { windowsConnection } from '../guests/windows/connection.js'
import type { Driver, FoundAccess } from '../hypervisors/driver.js'
import {
  type ConnectOptions,
  type ConnectTarget,
  connect,
  type Machine,
  untilAborted,
} from '../remote/index.js'
import type { Bounds } from './bounds.js'
import type { Subject } from './finding.js'
import { linuxSpace, machineClock, releaseChecks } from './linux.js'
import { type Reached, reach } from './reach.js'
import { windowsChecks } from './windows.js'

export interface SubjectsRequest {
  readonly lab: Lab
  readonly driverOf: (host: Host) => Driver
  /** Where a guest that runs already is, when the lab gives it no address: an emulated one. */
  readonly accessOf: (guest: Guest, placement: Placement) => FoundAccess | undefined
  readonly bounds: Bounds
  readonly signal: AbortSignal
}

/** All that there is to look at in a lab, and the connections that it needs. */
export interface Subjects {
  readonly all: readonly Subject[]
  close(): Promise<void>
}

/** The Linux that a hypervisor's product belongs to; others are no Linux, or are not looked at. */
const distributions: ReadonlyMap<string, string> = new Map([
  ['rhel-kvm', 'rhel'],
  ['rhel-xen', 'rhel'],
  ['sles-kvm', 'sles'],
  ['sles-xen', 'sles'],
  ['debian-kvm', 'debian'],
  ['ubuntu-kvm', 'ubuntu'],
])

/** Lists what to look at: each host, then what is placed on it. Nothing is connected to yet. */
export function subjectsOf(request: SubjectsRequest): Subjects {
  const { lab, driverOf, bounds } = request
  const opened: Reached[] = []
  const all = [...lab.hosts.values()].flatMap(host => {
    const guests = [...lab.guests.values()].flatMap(guest =>
      guest.on.filter(on => on.host === host.id).map(placement => ({ guest, placement })),
    )
    const driver = driverOf(host)
    const ofDriver = driver.checks?.({ host, guests, freeBytes: bounds.freeBytes }) ?? []
    const reached = reachHost(request, host, driver)
    const machine = reached?.machine
    opened.push(...(reached === null ? [] : [reached]))
    const product = distributions.get(host.product)
    const own = [
      ...(reached?.checks ?? []),
      ...(machine === undefined || product === undefined
        ? []
        : releaseChecks({ product, version: host.version, machine, bounds })),
      ...ofDriver.filter(({ placement }) => placement === undefined),
      ...(machine === undefined ? [] : [machineClock({ machine, bounds })]),
    ]
    const ofHost: Subject = {
      host: host.id,
      emulated: host.emulated !== undefined,
      checks: own,
      ...(own.length === 0 ? { note: noteOf(host) } : {}),
    }
    return [
      ofHost,
      ...guests.map(({ guest, placement }): Subject => {
        const runs = reachGuest(request, guest, placement, host)
        opened.push(...(runs === null ? [] : [runs]))
        const seenFromHost = ofDriver.filter(check => check.placement === placement)
        return {
          host: host.id,
          guest: { id: guest.id, configuration: placement.configuration.name },
          emulated: guest.emulated !== undefined,
          checks:
            runs === null
              ? seenFromHost
              : [...runs.checks, ...guestChecks(request, guest, runs).map(runs.again)],
          ...(runs === null ? { note: 'it does not run: seen from its host' } : {}),
        }
      }),
    ]
  })
  return { all, close: async () => void (await Promise.all(opened.map(one => one.close()))) }
}

function noteOf({ driver, emulated }: Host): string {
  return emulated === undefined
    ? `the driver ${driver.name} asks it nothing`
    : 'only what its guests see of it is emulated'
}

/** A host that is logged in to, by its driver or because the lab says how. */
function reachHost({ lab, signal }: SubjectsRequest, host: Host, driver: Driver): Reached | null {
  if (host.connect === undefined) {
    return null
  }
  const { endpoint, login } = host.connect
  return reach({
    label: host.id,
    address: `${endpoint.host}:${endpoint.port}`,
    user: login.user,
    hostKey: login.hostKey,
    closes: driver.machine === undefined,
    connect: () =>
      driver.machine?.(signal) ??
      connect({ endpoint, login, label: host.id, limits: lab.limits, signal }, { firstCommand: ':' }),
  })
}

/** A guest that runs already; `null` for one that its driver would start. */
function reachGuest(
  { lab, accessOf, signal }: SubjectsRequest,
  guest: Guest,
  placement: Placement,
  host: Host,
): Reached | null {
  if (host.driver.startsGuests) {
    return null
  }
  const found: FoundAccess | undefined =
    placement.endpoint === undefined ? accessOf(guest, placement) : { endpoint: placement.endpoint }
  if (found === undefined) {
    return null
  }
  const { endpoint, keyPath, hostKey } = found
  const label = `${guest.id} (${endpoint.host}:${endpoint.port})`
  const mark = `${lab.name}/${guest.id}/${host.id}/doctor-${randomBytes(4).toString('hex')}`
  const target = {
    label,
    endpoint,
    login: guest.login,
    limits: lab.limits,
    image: {
      ...(keyPath === undefined ? {} : { keyPath }),
      ...(hostKey === undefined ? {} : { hostKey }),
    },
    signal,
  }
  return reach({
    label,
    address: `${endpoint.host}:${endpoint.port}`,
    user: guest.login.user,
    hostKey: guest.login.hostKey,
    closes: true,
    connect: () => {
      const options = families[guest.family].connection(mark)
      return guest.emulated === undefined ? connect(target, options) : connectOnceUp(target, options)
    },
  })
}

/** Between two tries to reach an emulated guest that boots, in ms. */
const tryEveryMs = 200

/** Connects to an emulated guest that may have been started just now: its port opens when it has booted. */
async function connectOnceUp(target: ConnectTarget, options: ConnectOptions): Promise<Machine> {
  const { limits, label: where, signal } = target
  const boot = deadlineSignal({ name: 'boot', ms: limits.boot, where, signal })
  try {
    for (;;) {
      try {
        return await connect(target, options)
      } catch (error) {
        const isDown = error instanceof InfraError && error.context.code === 'connect'
        if (!isDown || boot.signal.aborted) {
          throw error
        }
        await untilAborted(tryEveryMs, boot.signal)
      }
    }
  } finally {
    boot.clear()
  }
}

function guestChecks({ bounds }: SubjectsRequest, guest: Guest, { machine }: Reached): Subject['checks'] {
  const { product, version } = guest
  const request = { product, version, machine, bounds }
  return families[guest.family].checks(request)
}

interface FamilyLook {
  readonly connection: (mark: string) => ConnectOptions
  readonly checks: (request: Parameters<typeof windowsChecks>[0]) => Subject['checks']
}

/** How guests of each family are connected to, and looked at. */
const families: Readonly<Record<Family, FamilyLook>> = {
  linux: {
    connection: mark => ({ mark, firstCommand: ':' }),
    checks: request => [...releaseChecks(request), machineClock(request), linuxSpace(request)],
  },
  windows: { connection: windowsConnection, checks: windowsChecks },
}
