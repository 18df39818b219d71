import { UsageError } from '../../config/errors.js'
import { entrySubject, statementAbout } from '../../record/ledger/entries.js'
import { findEntry } from '../../record/ledger/find.js'
import { viewOf } from '../../record/ledger/view.js'
import { write } from '../../record/ledger/write.js'
import { type CommandIo, type ParsedArgs, requiredArgument } from '../args.js'
import { openRecord, writeKeys } from './open.js'
import { answerRecorded, recordedOf } from './recorded.js'

/** `guestcert record answer CHALLENGE ENTRY`: says that a recorded run answers a challenge. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  const view = viewOf(record)
  const challenge = findEntry(record, requiredArgument(args, 'CHALLENGE'))
  const entry = findEntry(record, requiredArgument(args, 'ENTRY'))
  const asked = view.challenges.find(one => one.entry.leaf === challenge.leaf)
  const rerun = view.runs.find(one => one.entry.leaf === entry.leaf)
  if (asked === undefined) throw new UsageError(`entry ${challenge.index} is not a challenge`)
  if (rerun === undefined) throw new UsageError(`entry ${entry.index} is not a run: add the run first`)
  const missing = asked.predicate.tests.filter(id => !rerun.predicate.tests.some(test => test.id === id))
  if (missing.length > 0) throw new UsageError(`the run does not have ${missing.join(', ')}`)
  const statement = statementAbout('answer', [entrySubject(challenge.leaf), entrySubject(entry.leaf)], {
    at: new Date().toISOString(),
    why: `entry ${entry.index} answers entry ${challenge.index}`,
  })
  const cites = [challenge.leaf, entry.leaf]
  const appended = await write(record, await writeKeys(args, io), [{ kind: 'answer', statement, cites }])
  answerRecorded(args, io, recordedOf(appended, [`answer to entry ${challenge.index}`]))
  return 0
}
