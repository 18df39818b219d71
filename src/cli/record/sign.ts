import { join } from 'node:path'
import { UsageError } from '../../config/errors.js'
import { keyIdOf } from '../../record/envelope/keys.js'
import { entrySubject, statementAbout } from '../../record/ledger/entries.js'
import { findEntry } from '../../record/ledger/find.js'
import { headsFolder } from '../../record/ledger/heads.js'
import type { Record } from '../../record/ledger/read.js'
import { refuseFlaws, replace } from '../../record/ledger/store.js'
import { type NewStatement, write } from '../../record/ledger/write.js'
import { cosignNote, formatNote } from '../../record/log/note.js'
import { noteTypes, verifierKeyText } from '../../record/log/note-keys.js'
import { answer, lines } from '../answer.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from '../args.js'
import { openRecord, signingKey, writeKeys } from './open.js'
import { answerRecorded, recordedOf } from './recorded.js'

/** `guestcert record sign ENTRY|head`: countersigns an entry, answers a manual test of a run, or cosigns the head. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  const what = requiredArgument(args, 'ENTRY')
  if (what === 'head') return cosign(record, args, io)
  const entry = findEntry(record, what)
  const statement =
    textFlag(args, 'manual') === undefined ? countersigned(entry.leaf) : manual(entry.leaf, args)
  const appended = await write(record, await writeKeys(args, io), [statement])
  answerRecorded(
    args,
    io,
    recordedOf(appended, [`${statement.kind} of entry ${entry.index} (${entry.kind})`]),
  )
  return 0
}

function countersigned(leaf: string): NewStatement {
  const statement = statementAbout('countersignature', [entrySubject(leaf)], { at: new Date().toISOString() })
  return { kind: 'countersignature', statement, cites: [leaf] }
}

function manual(leaf: string, args: ParsedArgs): NewStatement {
  const [id = '', answer, by = '', note = ''] = ['manual', 'answer', 'by', 'note'].map(flag =>
    textFlag(args, flag),
  )
  if (answer === undefined || by === '' || note === '') {
    throw new UsageError('an answer to a manual test needs --answer, --by and --note')
  }
  const predicate = { at: new Date().toISOString(), id, answer, by, note }
  return {
    kind: 'manual',
    statement: statementAbout('manual', [entrySubject(leaf)], predicate),
    cites: [leaf],
  }
}

/** Keeps the head as it is now with a cosignature: whoever has it can tell when the log is rolled back or forked. */
async function cosign(record: Record, args: ParsedArgs, io: CommandIo): Promise<number> {
  refuseFlaws(record.folder, record.flaws)
  const { checkpoint } = record.log
  const key = await signingKey(args, io)
  const witness = (record.trust.file.witnesses ?? []).find(
    ({ party, key: known }) =>
      key.asymmetricKeyType === 'ed25519' &&
      known === verifierKeyText(nameIn(known, party), key, noteTypes.witness),
  )
  if (checkpoint === null || witness === undefined) {
    throw new UsageError(`the key ${keyIdOf(key).slice(0, 16)}… is not a witness of the record's trust file`)
  }
  const { text, signatures } = checkpoint.note
  const cosignature = cosignNote(text, nameIn(witness.key, witness.party), key, Math.floor(Date.now() / 1000))
  const file = `${headsFolder}/${checkpoint.size}`
  await replace(record.folder, file, formatNote({ text, signatures: [...signatures, cosignature] }))
  const path = join(record.folder, file)
  answer(args, io, {
    value: { file: path, party: witness.party, size: checkpoint.size },
    text: () => lines([`${path}: ${witness.party} cosigned the head of ${checkpoint.size} entries`]),
    quiet: () => '',
  })
  return 0
}

/** The name before the first "+" of a verifier key. */
function nameIn(key: string, otherwise: string): string {
  return /^([^+]+)\+/.exec(key)?.[1] ?? otherwise
}
