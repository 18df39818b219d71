import { resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import { answer, lines } from './answer.js'
import { argument, type CommandIo, type ParsedArgs, requiredArgument } from './args.js'
import { listings } from './listings.js'

/** `guestcert list suites|tests|guests|hosts|products|requirements [LAB]`. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const what = requiredArgument(args, 'WHAT')
  const lab = argument(args, 'LAB')
  const make = listings.get(what)
  if (make === undefined) throw new UsageError(`${what} cannot be listed`)
  const listing = await make(lab === undefined ? null : resolve(io.cwd, lab))
  answer(args, io, {
    value: listing.values,
    text: ({ table }) => table(listing),
    quiet: () => lines(listing.rows.map(([name = '']) => name)),
  })
  return 0
}
