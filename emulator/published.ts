import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { faultsSchema } from './faults/schema.js'
import { hostFaultsSchema } from './hosts/faults.js'

/** Laid over a Windows guest, `clock-off` is `windows-clock-off`. */
const windowsPrefix = 'windows-'

/**
 * What the emulator knows, as a JSON Schema for whoever asks it for guests and hosts: which faults it can commit, with
 * their settings, and the names of the personas and mutants in a folder. Printed with `--schema FOLDER`.
 */
export function publishedSchema(folder: string): object {
  const mutants = namesIn(join(folder, 'mutants'))
  const short = mutants
    .filter(name => name.startsWith(windowsPrefix))
    .map(name => name.slice(windowsPrefix.length))
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'What the emulator plays: faults, and the names of personas',
    $defs: {
      guest: { description: 'Personas of guests', enum: namesIn(folder) },
      host: { description: 'Personas of hosts', enum: namesIn(join(folder, 'hosts')) },
      mutant: {
        description: 'What may be laid over a persona, after a "+"',
        enum: [...new Set([...mutants, ...short])].sort(),
      },
      guestFaults: definitionOf(faultsSchema),
      hostFaults: definitionOf(hostFaultsSchema),
    },
  }
}

function namesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.yaml'))
    .map(name => name.slice(0, -'.yaml'.length))
    .sort()
}

function definitionOf(schema: z.ZodType): object {
  const { $schema, ...definition } = z.toJSONSchema(schema, { io: 'input' })
  return definition
}
