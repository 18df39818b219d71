import { formatMistake } from '../config/errors.js'
import { loadLab as load } from '../config/load.js'
import type { Lab } from '../config/model.js'
import { driverSource } from '../hypervisors/registry.js'
import type { CommandIo } from './args.js'

/**
 * Reads a lab file with the drivers that ship with the program and those that it names itself, and says on the
 * standard error of a command what is probably not meant. Throws ConfigError.
 */
export async function loadLab(path: string, io?: Pick<CommandIo, 'stderr'>): Promise<Lab> {
  const lab = await load(path, driverSource)
  for (const warning of lab.warnings ?? []) {
    io?.stderr.write(`${formatMistake(warning)}\n`)
  }
  return lab
}
