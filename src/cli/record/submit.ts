import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../config/errors.js'
import { canonicalBytes } from '../../record/canonical.js'
import { parseEnvelope, statementIn } from '../../record/envelope/dsse.js'
import { append, type NewEntry } from '../../record/ledger/append.js'
import { isCitedAsSigned } from '../../record/ledger/cites.js'
import { type Record, validSigners } from '../../record/ledger/read.js'
import { refuseFlaws } from '../../record/ledger/store.js'
import type { CommandIo, ParsedArgs } from '../args.js'
import { requiredArgument } from '../args.js'
import { logKeyOf, openRecord } from './open.js'
import { answerRecorded, recordedOf } from './recorded.js'

const submission = z.array(
  z.strictObject({
    kind: z.string().min(1),
    cites: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
    envelope: z.unknown(),
  }),
)

/** `guestcert record submit FILE`: records what another party has signed with `--out`. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  refuseFlaws(record.folder, record.flaws)
  const path = resolve(io.cwd, requiredArgument(args, 'FILE'))
  const entries = await readSubmission(path, record)
  const { trust, verifier, folder } = record
  const key = await logKeyOf(args, io)
  const appended = await append({ folder, origin: trust.file.log.origin, key, verifier }, entries)
  const kinds = entries.map(({ kind }) => kind)
  answerRecorded(args, io, recordedOf(appended, kinds))
  return 0
}

/** Entries whose signatures hold. @throws UsageError */
async function readSubmission(path: string, record: Record): Promise<readonly NewEntry[]> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`cannot read ${path}`)
  })
  let parsed: z.infer<typeof submission>
  try {
    parsed = submission.parse(JSON.parse(text))
  } catch {
    throw new UsageError(`${path} is not a file that a command has written with --out`)
  }
  return parsed.map(({ kind, cites, envelope: found }, index) => {
    const envelope = parseEnvelope(canonicalBytes(found))
    const statement = envelope === null ? null : statementIn(envelope)
    if (envelope === null || statement === null)
      throw new UsageError(`${path}: entry ${index + 1} is not a signed statement`)
    if (validSigners(envelope, statement, record.trust).length === 0) {
      throw new UsageError(`${path}: entry ${index + 1} is signed by nobody whose key counts`)
    }
    if (!isCitedAsSigned(kind, cites, statement)) {
      throw new UsageError(`${path}: entry ${index + 1} was signed about other entries than it names`)
    }
    const strange = cites.find(leaf => !record.entries.some(entry => entry.leaf === leaf))
    if (strange !== undefined)
      throw new UsageError(`${path}: entry ${index + 1} is about ${strange.slice(0, 12)}…, which is not here`)
    return { kind, cites, envelope }
  })
}
