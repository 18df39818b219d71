import { join } from 'node:path'
import { UsageError } from '../../config/errors.js'
import { type Envelope, signersOf, statementIn } from '../envelope/dsse.js'
import { isValidAt, loadTrust, type Role, type Trust, trustSchema } from '../envelope/trust.js'
import { parseVerifierKey, type VerifierKey } from '../log/note-keys.js'
import type { InTotoStatement } from '../statement/types.js'
import { isCitedAsSigned } from './cites.js'
import { loadRecordConfig, type RecordConfig, trustFileName } from './config.js'
import { type Flaw, objectPath, type ReadLog, readLog, readObject } from './store.js'

/** Who signed an entry with a key that counted when it did. */
export interface EntrySigner {
  readonly key: string
  readonly party: string
  readonly roles: readonly Role[]
}

/** An entry of a record, with the statement that it stands for. */
export interface Entry {
  readonly index: number
  /** The leaf hash, in hex. */
  readonly leaf: string
  readonly kind: string
  readonly cites: readonly string[]
  /** The digest of the statement. */
  readonly digest: string
  readonly statement: InTotoStatement
  readonly envelope: Envelope
  readonly signers: readonly EntrySigner[]
}

/** A record as it was read. */
export interface Record {
  /** Absolute. */
  readonly folder: string
  readonly config: RecordConfig
  readonly trust: Trust
  readonly verifier: VerifierKey
  readonly log: ReadLog
  readonly entries: readonly Entry[]
  /** What is not as it was written. */
  readonly flaws: readonly Flaw[]
}

/** Reads a record with the keys that its folder, or another file, says to trust. @throws UsageError, ConfigError */
export async function readRecord(folder: string, trustPath = join(folder, trustFileName)): Promise<Record> {
  const config = await loadRecordConfig(folder)
  const trust = await loadTrust(trustPath)
  const verifier = parseVerifierKey(trust.file.log.key)
  if (verifier === null) throw new UsageError(`${trustPath}: the log's key cannot be used`)
  const log = await readLog(folder, verifier, trust.file.log.origin)
  const flaws: Flaw[] = [...log.flaws]
  const entries: Entry[] = []
  // What a revoked key signs after the log has its revocation may say any time of itself.
  const revoked = new Set<string>()
  for (const [index, { hash, leaf }] of log.leaves.entries()) {
    if (leaf === null) {
      flaws.push({ file: 'tile/entries', why: `entry ${index} has no form that is known` })
      continue
    }
    const envelope = await readObject(folder, leaf.statement)
    if ('why' in envelope) {
      flaws.push(envelope)
      continue
    }
    const statement = statementIn(envelope)
    if (statement === null) {
      flaws.push({ file: `objects/…/${leaf.statement}.json`, why: 'it holds no in-toto statement' })
      continue
    }
    if (!isCitedAsSigned(leaf.kind, leaf.cites, statement)) {
      flaws.push({
        file: objectPath(leaf.statement),
        why: 'it was signed about other entries than the log says',
      })
      continue
    }
    const signers = validSigners(envelope, statement, trust).filter(({ key }) => !revoked.has(key))
    if (leaf.kind === 'trust') for (const key of revokedIn(statement, trust)) revoked.add(key)
    entries.push({
      index,
      leaf: hash,
      kind: leaf.kind,
      cites: leaf.cites,
      digest: leaf.statement,
      statement,
      envelope,
      signers,
    })
  }
  return { folder, config, trust, verifier, log, entries, flaws }
}

/**
 * The keys whose signatures hold, and that counted at the time that the statement says of itself. One that says no time
 * counts while its key was never revoked.
 */
export function validSigners(envelope: Envelope, statement: InTotoStatement, { keys }: Trust): EntrySigner[] {
  const open = new Map([...keys].map(([id, { key }]) => [id, key]))
  const time = timeOf(statement)
  return signersOf(envelope, open).flatMap(id => {
    const key = keys.get(id)
    const counts =
      time === '' ? key?.revokedMs === null : key !== undefined && isValidAt(key, Date.parse(time))
    return key !== undefined && counts ? [{ key: id, party: key.party, roles: key.roles }] : []
  })
}

/** The keys that a recorded trust file revokes, and the one that counts as well. */
function revokedIn({ predicate }: InTotoStatement, { file, keys }: Trust): readonly string[] {
  const recorded = trustSchema.safeParse((predicate as { readonly trust?: unknown }).trust)
  if (!recorded.success) return []
  return [...keys].flatMap(([id, { name, revokedMs }]) => {
    const then = recorded.data.keys[name]
    const isSame = then?.revoked !== undefined && then.key === file.keys[name]?.key
    return revokedMs !== null && isSame ? [id] : []
  })
}

/** When a statement says that it was made; empty where it does not. */
export function timeOf({ predicate }: InTotoStatement): string {
  const { at, timeVerified, closedAt, openedAt } = predicate as Readonly<{ [key: string]: unknown }>
  return ([at, timeVerified, closedAt, openedAt].find(time => typeof time === 'string') as string) ?? ''
}
