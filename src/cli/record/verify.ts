import { resolve } from 'node:path'
import { harnessDigest } from '../../config/harness.js'
import { verifyRecord } from '../../record/ledger/verify.js'
import { answer, lines } from '../answer.js'
import { type CommandIo, type ParsedArgs, textFlag } from '../args.js'
import { openRecord, readKept } from './open.js'

/** `guestcert record verify`: checks every file and signature of a record, and folds its journals again. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  const head = textFlag(args, 'head')
  const found = await verifyRecord(record, {
    ...(head === undefined ? {} : { head: resolve(io.cwd, head) }),
    readSource: journal => readKept(record.folder, journal),
    harnessDigest: await harnessDigest(),
  })
  const { flaws, refolded, withoutJournal, unsigned, freshness, isFresh } = found
  const { size = 0 } = record.log.checkpoint ?? {}
  const broken = flaws.map(({ file, why }) => `${file}: ${why}`)
  const unchecked =
    withoutJournal === 0
      ? ''
      : `, ${withoutJournal} runs without their journal: their verdicts cannot be checked`
  answer(args, io, {
    value: { entries: size, flaws, refolded, withoutJournal, unsigned, isFresh, freshness },
    text: () =>
      lines([
        ...broken,
        `${size} entries, ${refolded} journals folded again${unchecked}`,
        ...(unsigned.length === 0
          ? []
          : [`signed by nobody whose key counts: entries ${unsigned.join(', ')}`]),
        freshness,
        flaws.length === 0 ? 'nothing was changed' : `${flaws.length} files are not as they were recorded`,
      ]),
    quiet: () => lines(broken),
  })
  return flaws.length === 0 ? 0 : 1
}
