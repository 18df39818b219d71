import { z } from 'zod'
import { hostNames } from '../config/driver.js'
import { labSchema } from '../config/lab-schema.js'
import { suiteSchema } from '../config/suite-schema.js'
import { builtinCatalog } from '../hypervisors/registry.js'
import { type CommandIo, type ParsedArgs, requiredArgument } from './args.js'

/** `guestcert schema lab|suite`: prints the JSON Schema (draft 2020-12) of a file. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  io.stdout.write(schemaText(requiredArgument(args, 'FILE') === 'lab' ? 'lab' : 'suite'))
  return 0
}

/** The JSON Schema of a kind of file, as editors read it. */
export function schemaText(file: 'lab' | 'suite'): string {
  const schema = file === 'lab' ? labSchema(hostNames([...builtinCatalog.values()])) : suiteSchema
  return `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), null, 2)}\n`
}
