import type { DriverDescriptor } from '../config/driver.js'
import type { Host } from '../config/model.js'
import type { Driver, GuestRequest, Instance } from './driver.js'
import type { HostLimits } from './limit.js'
import type { VmBackend } from './managed-vm/backend.js'
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
  /** The limits of the host: what the lab says, else the defaults. */
  readonly limits: HostLimits
  /** Drives one virtual machine by the primitives of its backend: see docs/writing-a-driver.md. */
  readonly manage: (backend: VmBackend, request: GuestRequest) => Instance
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
