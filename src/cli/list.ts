import { resolve } from 'node:path'
import picocolors from 'picocolors'
import { UsageError } from '../config/errors.js'
import { wantsColor } from '../reports/terminal/style.js'
import { safeJson } from '../text/json.js'
import { argument, type CommandIo, colorFlag, isSet, type ParsedArgs, requiredArgument } from './args.js'
import { listings } from './listings.js'
import { table, tableWidth } from './table.js'

/** `guestcert list suites|tests|guests|hosts|products [LAB]`. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const what = requiredArgument(args, 'WHAT')
  const lab = argument(args, 'LAB')
  const make = listings.get(what)
  if (make === undefined) throw new UsageError(`${what} cannot be listed`)
  const listing = await make(lab === undefined ? null : resolve(io.cwd, lab))
  if (isSet(args, 'json')) {
    io.stdout.write(`${safeJson(listing.values, 2)}\n`)
    return 0
  }
  const flag = colorFlag(args)
  const wish = { isTTY: io.stdout.isTTY === true, env: io.env, ...(flag === undefined ? {} : { flag }) }
  io.stdout.write(table(listing, picocolors.createColors(wantsColor(wish)).bold, tableWidth(io.stdout)))
  return 0
}
