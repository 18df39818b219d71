import { randomBytes, randomInt } from 'node:crypto'
import { InternalError, UsageError } from '../../config/errors.js'
import { bootTestId } from '../../plan/boot.js'
import { entrySubject, statementAbout } from '../../record/ledger/entries.js'
import { findEntry } from '../../record/ledger/find.js'
import { viewOf } from '../../record/ledger/view.js'
import { write } from '../../record/ledger/write.js'
import { answer, lines } from '../answer.js'
import { type CommandIo, countFlag, listFlag, type ParsedArgs, requiredArgument } from '../args.js'
import { openRecord, shortLeaf, writeKeys } from './open.js'
import { recordedText, recordedValue } from './recorded.js'

const usualSample = 3

/** `guestcert record challenge ENTRY`: asks for a rerun of tests that the submitter could not know before. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  const entry = findEntry(record, requiredArgument(args, 'ENTRY'))
  const known = viewOf(record).runs.find(one => one.entry.leaf === entry.leaf)
  if (known === undefined) throw new UsageError(`entry ${entry.index} is not a run: only runs are challenged`)
  const passed = known.predicate.tests.filter(({ verdict, id }) => verdict === 'pass' && id !== bootTestId)
  const tests = chosen(
    passed.map(({ id }) => id),
    countFlag(args, 'sample') ?? usualSample,
    listFlag(args, 'test'),
  )
  const predicate = { at: new Date().toISOString(), tests, nonce: randomBytes(16).toString('hex') }
  const statement = statementAbout('challenge', [entrySubject(entry.leaf)], predicate)
  const [appended] = await write(record, await writeKeys(args, io), [
    { kind: 'challenge', statement, cites: [entry.leaf] },
  ])
  if (appended === undefined) throw new InternalError('the challenge was not recorded')
  const recorded = [{ appended, what: `challenge of entry ${entry.index}` }]
  answer(args, io, {
    value: { recorded: recordedValue(recorded), tests },
    text: () =>
      recordedText(recorded) +
      lines([
        `run again, registered from now on: ${tests.map(id => `--test ${id}`).join(' ')}`,
        `then: guestcert record answer ${shortLeaf(appended.leaf)} RUN`,
      ]),
    quiet: () => '',
  })
  return 0
}

/** Tests that are named, else drawn: nobody can know them before. @throws UsageError */
function chosen(passed: readonly string[], count: number, named: readonly string[]): readonly string[] {
  const strange = named.find(id => !passed.includes(id))
  if (strange !== undefined) throw new UsageError(`the run has no test "${strange}" that passed`)
  if (named.length > 0) return [...new Set(named)].sort()
  const left = [...passed]
  const drawn: string[] = []
  while (left.length > 0 && drawn.length < count) drawn.push(...left.splice(randomInt(left.length), 1))
  if (drawn.length === 0)
    throw new UsageError('the run has no test that passed: there is nothing to challenge')
  return drawn.sort()
}
