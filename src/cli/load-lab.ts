import { loadLab as load } from '../config/load.js'
import type { Lab } from '../config/model.js'
import { driverSource } from '../hypervisors/registry.js'

/** Reads a lab file with the drivers that ship with the program and those that it names itself. Throws ConfigError. */
export function loadLab(path: string): Promise<Lab> {
  return load(path, driverSource)
}
