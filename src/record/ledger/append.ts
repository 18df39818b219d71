import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { UsageError } from '../../config/errors.js'
import { canonicalBytes, sha256 } from '../canonical.js'
import type { Envelope } from '../envelope/dsse.js'
import { signCheckpoint } from '../log/checkpoint.js'
import type { VerifierKey } from '../log/note-keys.js'
import { changedTiles, longestEntry } from '../log/tiles.js'
import { leafHash, Tree } from '../log/tree.js'
import type { Leaf } from './config.js'
import { withLock } from './lock.js'
import { checkpointFile, objectPath, readLog, refuseFlaws, removeOlderParts, replace } from './store.js'

/** Something to be recorded. */
export interface NewEntry {
  readonly kind: string
  readonly envelope: Envelope
  /** Leaf hashes that it is about, in hex. */
  readonly cites: readonly string[]
}

/** Where an entry stands in the log. */
export interface Appended {
  readonly leaf: string
  readonly index: number
  /** False for one that was there already: recording something twice is one entry. */
  readonly isNew: boolean
}

/** The log to write to. */
export interface LogWriter {
  /** The record's folder. Absolute. */
  readonly folder: string
  readonly origin: string
  readonly key: KeyObject
  readonly verifier: VerifierKey
}

/** Begins a log: an empty tree with a signed head. */
export async function beginLog({ folder, origin, key }: Omit<LogWriter, 'verifier'>): Promise<void> {
  await replace(
    folder,
    checkpointFile,
    signCheckpoint({ origin, size: 0, root: new Tree().root() }, origin, key),
  )
}

/**
 * Appends entries. The head is written last: a program that dies before has appended nothing. @throws UsageError for a log
 * that is damaged or has another key, InfraError when another program keeps writing.
 */
export async function append(writer: LogWriter, entries: readonly NewEntry[]): Promise<readonly Appended[]> {
  const { folder, origin, key, verifier } = writer
  return withLock(folder, async lock => {
    const log = await readLog(folder, verifier, origin)
    refuseFlaws(folder, log.flaws)
    const { tree } = log
    const from = tree.size
    const all = log.leaves.map(({ bytes }) => bytes)
    const known = new Map(log.leaves.map(({ hash }, index) => [hash, index]))
    const appended: Appended[] = []
    for (const entry of entries) {
      const bytes = leafOf(entry)
      const hash = leafHash(bytes)
      const leaf = hash.toString('hex')
      const index = known.get(leaf)
      appended.push({ leaf, index: index ?? all.length, isNew: index === undefined })
      if (index !== undefined) continue
      await replace(folder, objectPath(statementDigest(entry.envelope)), canonicalBytes(entry.envelope))
      known.set(leaf, all.length)
      all.push(bytes)
      tree.push(hash)
    }
    if (tree.size > from) {
      const changed = changedTiles(tree, index => all[index] ?? Buffer.alloc(0), from)
      for (const { path, bytes } of changed) await replace(folder, path, bytes)
      await lock.check()
      await replace(
        folder,
        checkpointFile,
        signCheckpoint({ origin, size: tree.size, root: tree.root() }, origin, key),
      )
      for (const { path } of changed) await removeOlderParts(folder, path)
    }
    return appended
  })
}

/** The digest by which a statement is kept. */
export function statementDigest({ payload }: Envelope): string {
  return sha256(Buffer.from(payload, 'base64'))
}

function leafOf({ kind, envelope, cites }: NewEntry): Buffer {
  const leaf: Leaf = { v: 1, kind, statement: statementDigest(envelope), cites: [...cites] }
  const bytes = canonicalBytes(leaf)
  if (bytes.length > longestEntry) {
    throw new UsageError(
      `an entry of the log has at most ${longestEntry} bytes, and this one has ${bytes.length}: ${join(kind)}`,
    )
  }
  return bytes
}
