import { findEntry } from '../../record/ledger/find.js'
import type { Entry } from '../../record/ledger/read.js'
import { timeOf } from '../../record/ledger/read.js'
import { safeJson } from '../../text/json.js'
import { argument, type CommandIo, isSet, type ParsedArgs } from '../args.js'
import { table } from '../table.js'
import { openRecord, shortLeaf } from './open.js'

/** `guestcert record show [ENTRY]`: the entries of a record, or one of them. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  const wanted = argument(args, 'ENTRY')
  if (wanted !== undefined) {
    const entry = findEntry(record, wanted)
    io.stdout.write(`${safeJson({ ...told(entry), statement: entry.statement }, 2)}\n`)
    return 0
  }
  if (isSet(args, 'json')) {
    io.stdout.write(`${safeJson(record.entries.map(told), 2)}\n`)
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
  io.stdout.write(table({ headings: ['ENTRY', 'LEAF', 'KIND', 'TIME', 'BY', 'ABOUT'], rows }, text => text))
  return 0
}

function told({ index, leaf, kind, cites, digest, signers }: Entry): object {
  return { index, leaf, kind, cites, statement: digest, signers }
}
