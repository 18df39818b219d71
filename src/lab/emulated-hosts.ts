import type { Host } from '../config/model.js'
import type { Access, Driver, FoundAccess, GuestRequest, RunningGuest } from '../hypervisors/driver.js'
import { connectionLimits, hostLimits } from '../hypervisors/limit.js'
import { HostConnection } from '../hypervisors/shared/connection.js'
import { anyOf, connect } from '../remote/index.js'
import type { EmulatedLab } from './emulated.js'
import { emulatedHostUser, guestName } from './emulated-request.js'

/** An emulated host with the address and the login that the emulator gave it; any other as it is. */
export function reachedHost(host: Host, { hosts }: Pick<EmulatedLab, 'hosts'>): Host {
  const found = hosts.get(host.id)
  if (found === undefined) {
    return host
  }
  return found.api === undefined ? { ...host, connect: loginTo(found) } : { ...host, api: found.api }
}

function loginTo({ endpoint, keyPath = '', hostKey = '' }: FoundAccess): NonNullable<Host['connect']> {
  return {
    endpoint,
    login: {
      user: emulatedHostUser,
      key: { kind: 'file', path: keyPath },
      // Old products speak what is switched off today, and this host is on this machine.
      algorithms: 'legacy',
      hostKey: { kind: 'pinned', fingerprint: hostKey },
    },
  }
}

/** The way into the network of an emulated host's guests, where its driver has no login to the host itself. */
function gatewayOf(host: Host, { hosts }: Pick<EmulatedLab, 'hosts'>): HostConnection | null {
  const found = hosts.get(host.id)
  return found?.api === undefined
    ? null
    : new HostConnection(host.id, signal => {
        const limits = connectionLimits(hostLimits(host.limits))
        return connect({ ...loginTo(found), label: host.id, limits, signal })
      })
}

/** Adds to what a driver finds out of an emulated guest how to log in to it. */
export function withEmulatedLogins(
  driver: Driver,
  host: Host,
  emulated: Pick<EmulatedLab, 'access' | 'hosts'>,
): Driver {
  const { access } = emulated
  const gateway = gatewayOf(host, emulated)
  const loginOf = ({
    guest,
    placement,
  }: Pick<GuestRequest, 'guest' | 'placement'>): FoundAccess | undefined =>
    access.get(guestName(guest.id, placement.host, placement.configuration.name))
  const keptAccess = driver.keptAccess?.bind(driver)
  return {
    ...driver,
    ...(keptAccess === undefined
      ? {}
      : {
          keptAccess: async (request, signal) => {
            const [found, kept] = [loginOf(request), await keptAccess(request, signal)]
            return found === undefined ? kept : withLogin(kept, found, gateway, signal)
          },
        }),
    close: async () => {
      await driver.close()
      await gateway?.close()
    },
    instance: request => {
      const instance = driver.instance(request)
      const found = loginOf(request)
      if (found !== undefined) {
        const start = instance.start.bind(instance)
        // Started twice it is the same guest.
        const known = new WeakMap<RunningGuest, RunningGuest>()
        instance.start = async until => {
          const running = await start(until)
          const logged = known.get(running) ?? reached(running, found, gateway)
          known.set(running, logged)
          return logged
        }
      }
      return instance
    },
  }
}

function reached(running: RunningGuest, found: FoundAccess, gateway: HostConnection | null): RunningGuest {
  return {
    ...running,
    gone: found.gone === undefined ? running.gone : anyOf(running.gone, found.gone).signal,
    access: async signal => withLogin(await running.access(signal), found, gateway, signal),
  }
}

/** An address that a driver has found, with the keys of the emulated guest, and the way into its network. */
async function withLogin(
  access: Access,
  { keyPath, hostKey }: FoundAccess,
  gateway: HostConnection | null,
  signal: AbortSignal,
): Promise<Access> {
  return {
    ...access,
    ...(gateway === null ? {} : { via: await gateway.machine(signal) }),
    ...(keyPath === undefined ? {} : { keyPath }),
    ...(hostKey === undefined ? {} : { hostKey }),
  }
}
