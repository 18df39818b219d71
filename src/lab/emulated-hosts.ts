import type { Host } from '../config/model.js'
import type { Driver, FoundAccess, RunningGuest } from '../hypervisors/driver.js'
import { anyOf } from '../remote/index.js'
import type { EmulatedLab } from './emulated.js'
import { emulatedHostUser, guestName } from './emulated-request.js'

/** An emulated host with the address and the login that the emulator gave it; any other as it is. */
export function reachedHost(host: Host, { hosts }: Pick<EmulatedLab, 'hosts'>): Host {
  const found = hosts.get(host.id)
  if (found === undefined) {
    return host
  }
  const { endpoint, keyPath = '', hostKey = '' } = found
  return {
    ...host,
    connect: {
      endpoint,
      login: {
        user: emulatedHostUser,
        key: { kind: 'file', path: keyPath },
        // Old products speak what is switched off today, and this host is on this machine.
        algorithms: 'legacy',
        hostKey: { kind: 'pinned', fingerprint: hostKey },
      },
    },
  }
}

/** Adds to what a driver finds out of an emulated guest how to log in to it. */
export function withEmulatedLogins(driver: Driver, access: ReadonlyMap<string, FoundAccess>): Driver {
  return {
    ...driver,
    instance: request => {
      const instance = driver.instance(request)
      const { guest, placement } = request
      const found = access.get(guestName(guest.id, placement.host, placement.configuration.name))
      if (found !== undefined) {
        const start = instance.start.bind(instance)
        instance.start = async until => reached(await start(until), found)
      }
      return instance
    },
  }
}

function reached(running: RunningGuest, { keyPath, hostKey, gone }: FoundAccess): RunningGuest {
  return {
    ...running,
    gone: gone === undefined ? running.gone : anyOf(running.gone, gone).signal,
    access: async signal => ({
      ...(await running.access(signal)),
      ...(keyPath === undefined ? {} : { keyPath }),
      ...(hostKey === undefined ? {} : { hostKey }),
    }),
  }
}
