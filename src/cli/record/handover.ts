import { join, resolve } from 'node:path'
import { UsageError } from '../../config/errors.js'
import { nearest } from '../../config/nearest.js'
import { handoverOf } from '../../record/catalogue/handover.js'
import { standingsOf } from '../../record/ledger/status.js'
import { refuseFlaws, replace } from '../../record/ledger/store.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from '../args.js'
import { openRecord } from './open.js'
import { asOf, customerFacts } from './status.js'

/** `guestcert record handover PAIRING --facts FILE`: what one vendor sends to the other when a customer has called. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  refuseFlaws(record.folder, record.flaws)
  const wanted = requiredArgument(args, 'PAIRING')
  const standings = standingsOf(record, asOf(args))
  const standing = standings.find(({ pairing }) => pairing === wanted)
  if (standing === undefined) {
    const near = nearest(
      wanted,
      standings.map(({ pairing }) => pairing),
    )
    throw new UsageError(
      `nothing was decided about "${wanted}"${near === null ? '' : `: did you mean "${near}"?`}`,
    )
  }
  const customer = await customerFacts(args, io)
  if (customer === null) throw new UsageError("give the customer's facts: --facts FILE")
  const to = resolve(io.cwd, textFlag(args, 'to') ?? join('handover', wanted))
  for (const { path, content } of handoverOf(record, standing, customer)) await replace(to, path, content)
  io.stdout.write(`${to}: begin with handover.html\n`)
  return 0
}
