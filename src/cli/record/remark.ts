import { UsageError } from '../../config/errors.js'
import { entrySubject, statementAbout } from '../../record/ledger/entries.js'
import { findEntry } from '../../record/ledger/find.js'
import { write } from '../../record/ledger/write.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from '../args.js'
import { openRecord, writeKeys } from './open.js'
import { answerRecorded, recordedOf } from './recorded.js'

/** `guestcert record reject|revoke ENTRY --why TEXT`: says something against an entry, which stays as it is. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const why = textFlag(args, 'why')?.trim() ?? ''
  if (why === '') throw new UsageError('give the reason: --why TEXT')
  const record = await openRecord(args, io)
  const entry = findEntry(record, requiredArgument(args, 'ENTRY'))
  const kind = args.command.endsWith('revoke') ? 'revocation' : 'rejection'
  const statement = statementAbout(kind, [entrySubject(entry.leaf)], { at: new Date().toISOString(), why })
  const appended = await write(record, await writeKeys(args, io), [{ kind, statement, cites: [entry.leaf] }])
  answerRecorded(args, io, recordedOf(appended, [`${kind} of entry ${entry.index} (${entry.kind})`]))
  return 0
}
