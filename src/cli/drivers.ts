import { UsageError } from '../config/errors.js'
import type { Host, Placement } from '../config/model.js'
import type { Driver } from '../hypervisors/driver.js'
import { createLibvirtDriver } from '../hypervisors/libvirt/driver.js'
import { createQemuDriver } from '../hypervisors/qemu/driver.js'
import { createStaticDriver, type FoundAccess } from '../hypervisors/static.js'
import { createXlDriver } from '../hypervisors/xl/driver.js'
import { guestName } from '../lab/emulated.js'
import { cacheFolder } from './folders.js'

/** The drivers of a lab's hosts, made once for each. */
export interface Drivers {
  driverOf(host: Host): Driver
  abilitiesOf(host: Host, placement: Placement): ReadonlySet<string>
  close(): Promise<void>
}

/** Makes drivers as they are asked for; `access` says where emulated guests listen, once they do. */
export function openDrivers(access: () => ReadonlyMap<string, FoundAccess>): Drivers {
  const drivers = new Map<string, Driver>()
  const driverOf = (host: Host): Driver => {
    const known = drivers.get(host.id)
    if (known !== undefined) {
      return known
    }
    const made = makeDriver(host, access)
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

function makeDriver(host: Host, access: () => ReadonlyMap<string, FoundAccess>): Driver {
  switch (host.driver) {
    case 'static':
      return createStaticDriver(({ guest, placement }) =>
        access().get(guestName(guest.id, placement.host, placement.configuration.name)),
      )
    case 'qemu':
      return createQemuDriver({ host, cacheFolder: cacheFolder() })
    case 'libvirt':
      return createLibvirtDriver({ host })
    case 'xl':
      return createXlDriver({ host, cacheFolder: cacheFolder() })
    default:
      throw new UsageError(
        `host "${host.id}": this version has no driver "${host.driver}" yet: use static, qemu, libvirt or xl`,
      )
  }
}
