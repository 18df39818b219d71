import { z } from 'zod'
import { labSchema } from '../config/lab-schema.js'
import { suiteSchema } from '../config/suite-schema.js'
import { type CommandIo, type ParsedArgs, requiredArgument } from './args.js'

/** `guestcert schema lab|suite`: prints the JSON Schema (draft 2020-12) of a file. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const schema = requiredArgument(args, 'FILE') === 'lab' ? labSchema : suiteSchema
  io.stdout.write(`${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), null, 2)}\n`)
  return 0
}
