import type { DriverDescriptor } from '../config/driver.js'
import { InternalError } from '../config/errors.js'
import type { Driver } from './driver.js'
import type { DriverModule, OpenRequest } from './module.js'

/** Where the code of a driver is, and how it opens the driver for one host. */
export interface DriverCode<Code> {
  readonly import: () => Promise<Code>
  readonly open: (code: Code, request: OpenRequest) => Driver
}

/**
 * A driver whose code is loaded when a lab names it: the descriptor is all that any other run pays for. Whoever reads the
 * lab calls `load`; to open the driver before that is a bug.
 */
export function lazyDriver<Code>(descriptor: DriverDescriptor, driver: DriverCode<Code>): DriverModule {
  let code: Code | null = null
  return {
    ...descriptor,
    load: async () => {
      code ??= await driver.import()
    },
    open: request => {
      if (code === null) {
        throw new InternalError(`the driver ${descriptor.name} was opened before its code was loaded`)
      }
      return driver.open(code, request)
    },
  }
}
