import { formatMistake } from '../config/errors.js'
import { loadLab as load } from '../config/load.js'
import type { Lab } from '../config/model.js'
import { driverSource } from '../hypervisors/registry.js'
import { secretsOf } from '../remote/lab-secrets.js'
import { Redactor } from '../text/redactor.js'
import type { CommandIo } from './args.js'

/**
 * Reads a lab file with the drivers that ship with the program and those that it names itself, and says on the
 * standard error of a command what is probably not meant. The lab's secrets are kept out of all that the command
 * shows and writes from then on. Throws ConfigError.
 */
export async function loadLab(path: string, io?: Pick<CommandIo, 'stderr' | 'redaction'>): Promise<Lab> {
  const lab = await load(path, driverSource)
  const { secrets, weak } = await secretsOf(lab)
  if (io?.redaction !== undefined) {
    io.redaction.redactor = new Redactor(secrets)
  }
  for (const warning of [...(lab.warnings ?? []), ...weak]) {
    io?.stderr.write(`${formatMistake(warning)}\n`)
  }
  return lab
}
