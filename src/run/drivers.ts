import { UsageError } from '../config/errors.js'
import type { Host, Lab, Placement } from '../config/model.js'
import type { Driver } from '../hypervisors/driver.js'
import { hostLimits } from '../hypervisors/limit.js'
import { ManagedVm } from '../hypervisors/managed-vm.js'
import { isDriverModule } from '../hypervisors/module.js'
import { builtinDrivers } from '../hypervisors/registry.js'
import type { EmulatedLab } from '../lab/emulated.js'
import { reachedHost, withEmulatedLogins } from '../lab/emulated-hosts.js'
import { guestName } from '../lab/emulated-request.js'

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
export function openDrivers(
  { hosts }: Pick<Lab, 'hosts'>,
  cacheFolder: string,
  emulated: EmulatedAccess = nothingUp,
): Drivers {
  const drivers = new Map<string, Driver>()
  const driverOf = (host: Host): Driver => {
    const known = drivers.get(host.id)
    if (known !== undefined) {
      return known
    }
    const made = makeDriver(host, { hosts, cacheFolder, emulated })
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

interface DriverNeeds {
  readonly hosts: Lab['hosts']
  readonly cacheFolder: string
  readonly emulated: EmulatedAccess
}

function makeDriver(host: Host, { hosts, cacheFolder, emulated }: DriverNeeds): Driver {
  const { access } = emulated
  const { driver } = host
  if (!isDriverModule(driver)) {
    const available = builtinDrivers.map(({ name }) => name).join(', ')
    throw new UsageError(
      `host "${host.id}": the driver "${driver.name}" is not available yet: use one of ${available}`,
    )
  }
  const opened = driver.open({
    host: reachedHost(host, emulated),
    second: id => {
      const found = hosts.get(id)
      return found && reachedHost(found, emulated)
    },
    cacheFolder,
    limits: hostLimits(host.limits),
    manage: (backend, request) => new ManagedVm(backend, request),
    findAccess: ({ guest, placement }) =>
      access.get(guestName(guest.id, placement.host, placement.configuration.name)),
  })
  return driver.startsGuests ? withEmulatedLogins(opened, host, emulated) : opened
}
