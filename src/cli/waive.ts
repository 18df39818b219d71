import { resolve } from 'node:path'
import { readChecked } from '../config/read-checked.js'
import { digestOf } from '../record/canonical.js'
import { statementAbout } from '../record/ledger/entries.js'
import { write } from '../record/ledger/write.js'
import { isExpired } from '../waivers/apply.js'
import { type Waiver, waiversSchema } from '../waivers/schema.js'
import { answer, lines } from './answer.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from './args.js'
import { openRecord, writeKeys } from './record/open.js'
import { type Recorded, recordedOf, recordedText, recordedValue } from './record/recorded.js'

/** `guestcert waive FILE`: checks a file of waivers, and records it with the key of a policy's owner. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const file = await readChecked(resolve(io.cwd, requiredArgument(args, 'FILE')), waiversSchema)
  const nowMs = Date.now()
  const waivers = file.waivers.map(waiver => ({ waiver, expired: isExpired(waiver, nowMs) }))
  const recorded = textFlag(args, 'key') === undefined ? null : await record(file, args, io)
  answer(args, io, {
    value: {
      waivers: waivers.map(({ waiver: { id, test, guest, expires }, expired }) => ({
        id,
        test,
        guest: `${guest.product} ${guest.version}`,
        expires,
        expired,
      })),
      recorded: recordedValue(recorded ?? []),
    },
    text: () =>
      lines(waivers.map(waiverLine)) +
      (recorded === null
        ? lines(['not recorded: give --key with the key of the policy’s owner'])
        : recordedText(recorded)),
    quiet: () => lines(waivers.filter(({ expired }) => expired).map(waiverLine)),
  })
  return 0
}

function waiverLine({ waiver, expired }: { readonly waiver: Waiver; readonly expired: boolean }): string {
  const { id, test, guest, expires } = waiver
  return `${id}: ${test} of ${guest.product} ${guest.version}, ${expired ? 'expired' : `until ${expires}`}`
}

async function record(
  file: { readonly waivers: readonly Waiver[] },
  args: ParsedArgs,
  io: CommandIo,
): Promise<readonly Recorded[]> {
  const opened = await openRecord(args, io)
  const digest = digestOf(file)
  const at = new Date().toISOString()
  const statement = statementAbout('waiver', [{ name: 'waivers', digest: { sha256: digest } }], {
    at,
    ...file,
  })
  const appended = await write(opened, await writeKeys(args, io), [{ kind: 'waiver', statement, cites: [] }])
  return recordedOf(appended, [`${file.waivers.length} waivers`])
}
