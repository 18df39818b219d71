import type { DriverDescriptor } from '../config/driver.js'
import type { Guest, Placement } from '../config/model.js'
import type { SuiteTest } from './suite.js'

/** Whether a guest is a virtual machine that the lab only lends: it is used as it is, and others use it, too. */
export function isLent({ clean }: Placement, driver: DriverDescriptor): boolean {
  return clean.kind === 'none' && driver.startsGuests && !driver.ownMachines
}

/** A machine that others may use is not rebooted unless the lab says so; what we started, or play, is ours. */
export function mayReboot(guest: Guest, driver: DriverDescriptor): boolean {
  return guest.reboot ?? (driver.startsGuests || guest.emulated !== undefined)
}

/**
 * Why a test may not run on a lent machine; `null` where all that it does to it is allowed by name. Its guest is
 * rebooted only where the lab says `reboot: true`.
 */
export function whyNotOnLent({ isolation, needs }: SuiteTest, { allow = [], reboot }: Guest): string | null {
  const does = [...needs.host, ...(isolation === 'shared' ? [] : [isolation])]
  const refused = does.filter(name => !allow.some(allowed => allowed === name))
  if (refused.length > 0) {
    return `the lab only lends this VM (clean: none) and does not allow ${refused.join(', ')} (allow: [${refused.join(', ')}])`
  }
  return needs.guest.includes('reboot') && reboot !== true
    ? 'the lab only lends this VM (clean: none) and does not say that it may be rebooted (reboot: true)'
    : null
}
