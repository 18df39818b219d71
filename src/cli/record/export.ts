import { resolve } from 'node:path'
import { writeBundle } from '../../record/catalogue/bundle.js'
import { refuseFlaws } from '../../record/ledger/store.js'
import { type CommandIo, isSet, type ParsedArgs, requiredArgument } from '../args.js'
import { openRecord } from './open.js'
import { asOf } from './status.js'

/** `guestcert record export DIR`: a bundle that anyone can verify, with a catalogue for people. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  refuseFlaws(record.folder, record.flaws)
  const to = resolve(io.cwd, requiredArgument(args, 'DIR'))
  const files = await writeBundle(record, { to, nowMs: asOf(args), isRedacted: isSet(args, 'redacted') })
  io.stdout.write(`${to}: ${files} files; begin with VERIFY.md and catalogue/index.html\n`)
  return 0
}
