import { resolve } from 'node:path'
import { harnessDigest } from '../../config/harness.js'
import { verifyRecord } from '../../record/ledger/verify.js'
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
  for (const { file, why } of found.flaws) io.stdout.write(`${file}: ${why}\n`)
  const { size = 0 } = record.log.checkpoint ?? {}
  io.stdout.write(`${size} entries, ${found.refolded} journals folded again`)
  io.stdout.write(
    found.withoutJournal === 0
      ? '\n'
      : `, ${found.withoutJournal} runs without their journal: their verdicts cannot be checked\n`,
  )
  if (found.unsigned.length > 0) {
    io.stdout.write(`signed by nobody whose key counts: entries ${found.unsigned.join(', ')}\n`)
  }
  io.stdout.write(`${found.freshness}\n`)
  io.stdout.write(
    found.flaws.length === 0
      ? 'nothing was changed\n'
      : `${found.flaws.length} files are not as they were recorded\n`,
  )
  return found.flaws.length === 0 ? 0 : 1
}
