import { z } from 'zod'
import { hostNames } from '../config/driver.js'
import { UsageError } from '../config/errors.js'
import { labSchema } from '../config/lab-schema.js'
import { suiteSchema } from '../config/suite-schema.js'
import { builtinCatalog } from '../hypervisors/registry.js'
import { summarySchema } from '../reports/summary-schema.js'
import { type CommandIo, type ParsedArgs, requiredArgument } from './args.js'
import { shapes } from './shapes.js'

/** The files that have a schema. */
export const schemaFiles = ['lab', 'suite', 'summary', 'output'] as const
type SchemaFile = (typeof schemaFiles)[number]

/** `guestcert schema FILE`: prints the JSON Schema (draft 2020-12) of a file. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const wanted = requiredArgument(args, 'FILE')
  const file = schemaFiles.find(name => name === wanted)
  if (file === undefined) throw new UsageError(`${wanted} has no schema`)
  io.stdout.write(schemaText(file))
  return 0
}

/** The JSON Schema of a kind of file, as editors read it. */
export function schemaText(file: SchemaFile): string {
  const schemas = {
    lab: () => labSchema(hostNames([...builtinCatalog.values()])),
    suite: () => suiteSchema,
    summary: () => summarySchema,
    output: () => z.strictObject(shapes).describe('What guestcert prints with --json, by command'),
  }
  return `${JSON.stringify(z.toJSONSchema(schemas[file](), { io: 'input' }), null, 2)}\n`
}
