import { findEntry } from '../../record/ledger/find.js'
import type { Entry } from '../../record/ledger/read.js'
import { timeOf } from '../../record/ledger/read.js'
import { safeJson } from '../../text/json.js'
import { answer, lines } from '../answer.js'
import { argument, type CommandIo, type ParsedArgs } from '../args.js'
import { openRecord, shortLeaf } from './open.js'

/** `guestcert record show [ENTRY]`: the entries of a record, or one of them. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  const wanted = argument(args, 'ENTRY')
  if (wanted !== undefined) {
    const entry = findEntry(record, wanted)
    const value = { ...told(entry), statement: entry.statement }
    answer(args, io, { value, text: () => `${safeJson(value, 2)}\n`, quiet: () => lines([entry.leaf]) })
    return 0
  }
  const rows = record.entries.map(entry => [
    String(entry.index),
    shortLeaf(entry.leaf),
    entry.kind,
    timeOf(entry.statement).slice(0, 19),
    entry.signers.map(({ party }) => party).join(', ') || 'nobody who is trusted',
    entry.cites.map(shortLeaf).join(' '),
  ])
  answer(args, io, {
    value: record.entries.map(told),
    text: ({ table }) => table({ headings: ['ENTRY', 'LEAF', 'KIND', 'TIME', 'BY', 'ABOUT'], rows }),
    quiet: () => lines(record.entries.map(({ leaf }) => leaf)),
  })
  return 0
}

function told({ index, leaf, kind, cites, digest, signers }: Entry): object {
  return { index, leaf, kind, cites, statement: digest, signers }
}
