import type { KeyObject } from 'node:crypto'
import { UsageError } from '../../config/errors.js'
import { replaceFile } from '../../reports/replace-file.js'
import { seal } from '../envelope/dsse.js'
import { ed25519Bytes, keyIdOf } from '../envelope/keys.js'
import type { InTotoStatement } from '../statement/types.js'
import { type Appended, append } from './append.js'
import { statementAbout } from './entries.js'
import type { Record } from './read.js'
import { refuseFlaws } from './store.js'

/** The keys that something is recorded with. */
export interface WriteKeys {
  /** Whoever says it. */
  readonly key: KeyObject
  /** The log's own; or the file that the signed entries are written to, for whoever keeps the record. */
  readonly log: KeyObject | { readonly out: string }
}

/** Something to be said in a record. */
export interface NewStatement {
  readonly kind: string
  readonly statement: InTotoStatement
  readonly cites: readonly string[]
}

/**
 * Signs statements and records them, or writes them down for the keeper: then nothing is appended yet. A trust file that is another one than was recorded last is recorded first.
 * @throws UsageError for a key that is not trusted or not the log's, and for a damaged record.
 */
export async function write(
  record: Record,
  { key, log }: WriteKeys,
  statements: readonly NewStatement[],
): Promise<readonly Appended[]> {
  const { folder, trust, verifier, entries } = record
  refuseFlaws(folder, record.flaws)
  if (!trust.keys.has(keyIdOf(key))) {
    throw new UsageError(`the key ${keyIdOf(key).slice(0, 16)}… is not in the record's trust file`)
  }
  const sealed = ({ kind, statement, cites }: NewStatement) => ({
    kind,
    cites,
    envelope: seal(statement, key),
  })
  if ('out' in log) {
    await replaceFile(log.out, `${JSON.stringify(statements.map(sealed), null, 2)}\n`)
    return []
  }
  if (!ed25519Bytes(log).equals(ed25519Bytes(verifier.key))) {
    throw new UsageError('the log key is not the one that the trust file names: see "guestcert record key"')
  }
  const last = entries.findLast(({ kind }) => kind === 'trust')?.statement.predicate as
    | { digest?: string }
    | undefined
  const changed: NewStatement[] =
    last?.digest === trust.digest
      ? []
      : [
          {
            kind: 'trust',
            cites: [],
            statement: statementAbout('trust', [{ name: 'trust', digest: { sha256: trust.digest } }], {
              at: new Date().toISOString(),
              digest: trust.digest,
              trust: trust.file,
            }),
          },
        ]
  const appended = await append(
    { folder, origin: trust.file.log.origin, key: log, verifier },
    [...changed, ...statements].map(sealed),
  )
  return appended.slice(changed.length)
}
