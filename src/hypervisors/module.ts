import type { DriverDescriptor } from '../config/driver.js'
import type { Host } from '../config/model.js'
import type { Driver } from './driver.js'
import type { FindAccess } from './static/driver.js'

/** What a driver is given for one host of a lab. */
export interface OpenRequest {
  readonly host: Host
  /** Another host of the lab by its id, for guests that are moved between hosts. */
  readonly second: (id: string) => Host | undefined
  /** Where built images and local instances are kept. */
  readonly cacheFolder: string
  /** How to reach a guest that runs already and has no address in the lab file. */
  readonly findAccess: FindAccess
}

/** A driver as the registry has it: its descriptor, and the code behind it. */
export interface DriverModule extends DriverDescriptor {
  /** Opens the driver for one host. Synchronous: connections are made when they are needed. */
  open(request: OpenRequest): Driver
}

/** Whether a descriptor also brings the code of its driver. */
export function isDriverModule(driver: DriverDescriptor): driver is DriverModule {
  return 'open' in driver && typeof driver.open === 'function'
}
