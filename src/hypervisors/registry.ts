import { pathToFileURL } from 'node:url'
import type { DriverCatalog, DriverSource } from '../config/driver.js'
import { esxiModule } from './esxi/module.js'
import { hyperVModule } from './hyperv/module.js'
import { libvirtModule } from './libvirt/module.js'
import type { DriverModule } from './module.js'
import { qemuModule } from './qemu/module.js'
import { staticModule } from './static/module.js'
import { vmrunModule } from './vmrun/module.js'
import { vsphereModule } from './vsphere/module.js'
import { xenserverModule } from './xenserver/module.js'
import { xlModule } from './xl/module.js'

/** The drivers that ship with the program: the only place that names them all. */
export const builtinDrivers: readonly DriverModule[] = [
  staticModule,
  qemuModule,
  libvirtModule,
  xlModule,
  hyperVModule,
  xenserverModule,
  vsphereModule,
  esxiModule,
  vmrunModule,
]

/** All drivers that a lab file may name without a module of its own, by name. */
export const builtinCatalog: DriverCatalog = new Map(builtinDrivers.map(driver => [driver.name, driver]))

/** The built-in drivers, and those in files that a lab names. */
export const driverSource: DriverSource = { builtin: [...builtinCatalog.values()], load: loadDriver }

/** Loads a driver from a JavaScript module that exports it by default. Throws Error saying why it is none. */
export async function loadDriver(file: string): Promise<DriverModule> {
  const loaded = (await import(pathToFileURL(file).href)) as { default?: unknown }
  const mistake = mistakeIn(loaded.default)
  if (mistake !== null) {
    throw new TypeError(mistake)
  }
  return loaded.default as DriverModule
}

const types: Readonly<Record<keyof DriverModule, string | null>> = {
  name: 'string',
  title: 'string',
  startsGuests: 'boolean',
  needsConnect: 'boolean',
  migrates: 'boolean',
  ownMachines: 'boolean',
  cleanStates: 'object',
  placementMistakes: 'function',
  open: 'function',
  hostTool: null,
  guestsMeet: null,
  hostMistakes: null,
  connectsBy: null,
  namesCleanStates: null,
  products: null,
  load: null,
}

function mistakeIn(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) {
    return 'it does not export a driver by default'
  }
  const given = value as Readonly<Record<string, unknown>>
  const wrong = Object.entries(types).find(([key, type]) => type !== null && typeof given[key] !== type)
  if (wrong !== undefined) {
    return `"${wrong[0]}" of the driver must be a ${wrong[1] === 'object' ? 'list' : wrong[1]}`
  }
  return /^[a-z][a-z0-9-]*$/.test(String(given.name))
    ? null
    : `"${String(given.name).slice(0, 40)}" is not a driver name: use lower-case letters, digits and dashes`
}
