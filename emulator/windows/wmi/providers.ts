import type { WindowsSystem } from '../system/system.js'
import { hardwareProviders } from './classes/hardware.js'
import { networkProviders } from './classes/network.js'
import { productProviders } from './classes/product.js'
import { softwareProviders } from './classes/software.js'
import { storageProviders } from './classes/storage.js'
import type { Row } from './values.js'

/** Makes the instances of a class from the one store. */
export type Provider = (system: WindowsSystem) => readonly Row[]

/** Who makes the instances of each class. */
export const providers: Readonly<Record<string, Provider>> = {
  ...productProviders,
  ...hardwareProviders,
  ...storageProviders,
  ...networkProviders,
  ...softwareProviders,
}
