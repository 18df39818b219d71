import { UsageError } from '../config/errors.js'
import type { Host, Lab, Placement } from '../config/model.js'
import type { Driver } from '../hypervisors/driver.js'
import { createLibvirtDriver } from '../hypervisors/libvirt/driver.js'
import { createQemuDriver } from '../hypervisors/qemu/driver.js'
import { createStaticDriver } from '../hypervisors/static.js'
import { createXlDriver } from '../hypervisors/xl/driver.js'
import { type EmulatedLab, guestName } from '../lab/emulated.js'
import { reachedHost, withEmulatedLogins } from '../lab/emulated-hosts.js'
import { cacheFolder } from './folders.js'

/** The drivers of a lab's hosts, made once for each. */
export interface Drivers {
  driverOf(host: Host): Driver
  abilitiesOf(host: Host, placement: Placement): ReadonlySet<string>
  close(): Promise<void>
}

/** What is known of an emulated lab; nothing, while it is only planned. */
export type EmulatedAccess = Pick<EmulatedLab, 'access' | 'hosts'>

const nothingUp: EmulatedAccess = { access: new Map(), hosts: new Map() }

/** Makes a lab's drivers as they are asked for; `emulated` says where emulated guests and hosts listen. */
export function openDrivers({ hosts }: Pick<Lab, 'hosts'>, emulated: EmulatedAccess = nothingUp): Drivers {
  const drivers = new Map<string, Driver>()
  const driverOf = (host: Host): Driver => {
    const known = drivers.get(host.id)
    if (known !== undefined) {
      return known
    }
    const made = makeDriver(host, hosts, emulated)
    drivers.set(host.id, made)
    return made
  }
  return {
    driverOf,
    abilitiesOf: (host, placement) => driverOf(host).abilities(placement),
    close: async () => {
      await Promise.all([...drivers.values()].map(driver => driver.close()))
    },
  }
}

function makeDriver(host: Host, hosts: Lab['hosts'], emulated: EmulatedAccess): Driver {
  const { access } = emulated
  /** Another host of the lab, for guests that are moved to it. */
  const second = (id: string): Host | undefined => {
    const found = hosts.get(id)
    return found && reachedHost(found, emulated)
  }
  switch (host.driver) {
    case 'static':
      return createStaticDriver(({ guest, placement }) =>
        access.get(guestName(guest.id, placement.host, placement.configuration.name)),
      )
    case 'qemu':
      return createQemuDriver({ host, cacheFolder: cacheFolder() })
    case 'libvirt':
      return withEmulatedLogins(createLibvirtDriver({ host: reachedHost(host, emulated), second }), access)
    case 'xl':
      return withEmulatedLogins(
        createXlDriver({ host: reachedHost(host, emulated), cacheFolder: cacheFolder() }),
        access,
      )
    default:
      throw new UsageError(
        `host "${host.id}": the driver "${host.driver}" is not available: use static, qemu, libvirt or xl`,
      )
  }
}
