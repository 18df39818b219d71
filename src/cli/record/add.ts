import { resolve } from 'node:path'
import { keepRun, stateRun } from '../../record/ledger/runs.js'
import { write } from '../../record/ledger/write.js'
import { testResultOf } from '../../record/statement/test-result.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from '../args.js'
import { findRun } from '../runs.js'
import { openRecord, readSource, writeKeys } from './open.js'
import { answerRecorded, recordedOf } from './recorded.js'

/** `guestcert record add RUN`: records what a run came to, one statement for each pairing. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  const keys = await writeKeys(args, io)
  const reports = resolve(io.cwd, textFlag(args, 'reports') ?? 'reports')
  const source = await readSource(await findRun(requiredArgument(args, 'RUN'), reports, io.cwd))
  const stated = await stateRun(source)
  const entries = stated.flatMap(({ statement }) => {
    const { registration } = statement.predicate
    const isKnown = record.entries.some(({ leaf }) => leaf === registration)
    const cites = registration !== null && isKnown ? [registration] : []
    return [
      { kind: 'run', statement, cites },
      { kind: 'test-result', statement: testResultOf(statement), cites },
    ]
  })
  // Kept first: what the log names is there.
  await keepRun(record.folder, source, stated)
  const appended = await write(record, keys, entries)
  // Behind each statement stands the same as a test result of in-toto.
  const statements = appended.filter((_, index) => index % 2 === 0)
  const environments = stated.map(({ environment }) => environment)
  answerRecorded(args, io, recordedOf(statements, environments))
  return 0
}
