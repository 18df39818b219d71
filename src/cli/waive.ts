import { resolve } from 'node:path'
import { readChecked } from '../config/read-checked.js'
import { digestOf } from '../record/canonical.js'
import { told } from '../record/ledger/decisions.js'
import { statementAbout } from '../record/ledger/entries.js'
import { write } from '../record/ledger/write.js'
import { isExpired } from '../waivers/apply.js'
import { waiversSchema } from '../waivers/schema.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from './args.js'
import { openRecord, writeKeys } from './record/open.js'

/** `guestcert waive FILE`: checks a file of waivers, and records it with the key of a policy's owner. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const file = await readChecked(resolve(io.cwd, requiredArgument(args, 'FILE')), waiversSchema)
  for (const waiver of file.waivers) {
    const state = isExpired(waiver, Date.now()) ? 'expired' : `until ${waiver.expires}`
    io.stdout.write(
      `${waiver.id}: ${waiver.test} of ${waiver.guest.product} ${waiver.guest.version}, ${state}\n`,
    )
  }
  if (textFlag(args, 'key') === undefined) {
    io.stdout.write('not recorded: give --key with the key of the policy’s owner\n')
    return 0
  }
  const record = await openRecord(args, io)
  const digest = digestOf(file)
  const at = new Date().toISOString()
  const statement = statementAbout('waiver', [{ name: 'waivers', digest: { sha256: digest } }], {
    at,
    ...file,
  })
  const [appended] = await write(record, await writeKeys(args, io), [
    { kind: 'waiver', statement, cites: [] },
  ])
  if (appended !== undefined) io.stdout.write(told(appended, `${file.waivers.length} waivers`))
  return 0
}
