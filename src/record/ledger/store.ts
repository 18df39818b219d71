import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../../config/errors.js'
import { replaceFile } from '../../reports/replace-file.js'
import { canonicalBytes, sha256 } from '../canonical.js'
import { type Envelope, parseEnvelope } from '../envelope/dsse.js'
import { openCheckpoint, type ReadCheckpoint } from '../log/checkpoint.js'
import type { VerifierKey } from '../log/note-keys.js'
import { changedTiles, entriesIn, hashesIn, tilesOf, tileWidth } from '../log/tiles.js'
import { leafHash, Tree } from '../log/tree.js'
import { type Leaf, leafSchema } from './config.js'

/** The head of a record's log, as C2SP tlog-tiles names it. */
export const checkpointFile = 'checkpoint'

/** Something in a record that is not as it was written: the file, and what is wrong with it. */
export interface Flaw {
  readonly file: string
  readonly why: string
}

/** A log as it was read. */
export interface ReadLog {
  /** `null` where there is none that its own key has signed. */
  readonly checkpoint: ReadCheckpoint | null
  readonly tree: Tree
  readonly leaves: readonly { readonly hash: string; readonly bytes: Buffer; readonly leaf: Leaf | null }[]
  readonly flaws: readonly Flaw[]
}

/** Reads a log, and says of each file that was changed which it is. Never throws for what it finds. */
export async function readLog(folder: string, log: VerifierKey, origin: string): Promise<ReadLog> {
  const flaws: Flaw[] = []
  const text = await readFile(join(folder, checkpointFile), 'utf8').catch(() => '')
  const checkpoint = openCheckpoint(text, log, origin)
  if (checkpoint === null) {
    flaws.push({ file: checkpointFile, why: `it is not a head of ${origin} that the log's key has signed` })
  }
  const size = checkpoint?.size ?? 0
  const entries = await readTiles(folder, 'entries', size, flaws)
  const tree = new Tree(entries.map(leafHash))
  const leaves = entries.map((bytes, index) => ({
    hash: tree.level(0)[index]?.toString('hex') ?? '',
    bytes,
    leaf: parseLeaf(bytes),
  }))
  if (checkpoint !== null && entries.length === size) {
    const isSigned = tree.root().equals(checkpoint.root)
    flaws.push(
      ...(isSigned ? await otherTiles(folder, tree, entries) : await otherEntries(folder, tree, size)),
    )
  }
  return { checkpoint, tree, leaves, flaws: distinctFiles(flaws) }
}

/** Tiles that are not those of the entries, which the signed head confirms. */
async function otherTiles(folder: string, tree: Tree, entries: readonly Buffer[]): Promise<Flaw[]> {
  const flaws: Flaw[] = []
  for (const { path, bytes } of changedTiles(tree, index => entries[index] ?? Buffer.alloc(0), 0)) {
    const found = await readFile(join(folder, path)).catch(() => null)
    if (found?.equals(bytes) !== true) {
      flaws.push({
        file: path,
        why: found === null ? 'it is not there' : 'it does not hold the hashes of the entries',
      })
    }
  }
  return flaws
}

/** Entries that the signed head does not confirm: those whose hashes are kept otherwise, else nobody knows which. */
async function otherEntries(folder: string, tree: Tree, size: number): Promise<Flaw[]> {
  const hashes = await readTiles(folder, 0, size, [])
  const flaws = tree.level(0).flatMap((hash, index): Flaw[] => {
    const why = `entry ${index} is not the one whose hash the log holds`
    return hashes[index]?.equals(hash) === true ? [] : [{ file: bundleOf(index, size), why }]
  })
  const why = 'the entries do not come to the head that was signed'
  return flaws.length > 0 ? flaws : [{ file: checkpointFile, why }]
}

/** Where an envelope is kept, by the digest of its statement. */
export function objectPath(statement: string): string {
  return `objects/${statement.slice(0, 2)}/${statement}.json`
}

/** Reads an envelope, and says when it holds another statement than its name. */
export async function readObject(folder: string, statement: string): Promise<Envelope | Flaw> {
  const file = objectPath(statement)
  const bytes = await readFile(join(folder, file)).catch(() => null)
  if (bytes === null) return { file, why: 'it is not there' }
  const envelope = parseEnvelope(bytes)
  if (envelope === null) return { file, why: 'it is not a signed statement' }
  if (sha256(Buffer.from(envelope.payload, 'base64')) !== statement) {
    return { file, why: 'it is not the statement that was recorded' }
  }
  return Buffer.from(envelope.payload, 'base64').toString('base64') === envelope.payload &&
    canonicalBytes(envelope).equals(bytes)
    ? envelope
    : { file, why: 'it is not written as it was recorded' }
}

/** Writes a file of a record in one step. @throws InternalError */
export function replace(folder: string, path: string, content: Buffer | string): Promise<void> {
  return replaceFile(join(folder, path), content)
}

/** Removes the parts of a tile that a fuller one has taken the place of. */
export async function removeOlderParts(folder: string, path: string): Promise<void> {
  const [, tile, width] = /^(.*)\.p\/(\d+)$/.exec(path) ?? []
  if (tile === undefined) {
    await rm(join(folder, `${path}.p`), { recursive: true, force: true })
    return
  }
  const parts = await readdir(join(folder, `${tile}.p`)).catch(() => [])
  const older = parts.filter(name => name !== width && Number(name) < Number(width))
  await Promise.all(older.map(name => rm(join(folder, `${tile}.p`, name), { force: true })))
}

/** @throws UsageError naming the first flaw */
export function refuseFlaws(folder: string, flaws: readonly Flaw[]): void {
  const [first] = flaws
  if (first !== undefined) {
    throw new UsageError(
      `${folder} is damaged, in ${first.file}: ${first.why} (see "guestcert record verify")`,
    )
  }
}

async function readTiles(
  folder: string,
  kind: 'entries' | 0,
  size: number,
  flaws: Flaw[],
): Promise<Buffer[]> {
  const found: Buffer[] = []
  for (const { path, width } of tilesOf(kind, size)) {
    const bytes = await readFile(join(folder, path)).catch(() => null)
    const read = bytes === null ? null : kind === 0 ? hashesIn(bytes, width) : entriesIn(bytes, width)
    if (read === null) flaws.push({ file: path, why: bytes === null ? 'it is not there' : 'it is not whole' })
    found.push(...(read ?? []))
  }
  return found
}

function bundleOf(index: number, size: number): string {
  return tilesOf('entries', size)[Math.floor(index / tileWidth)]?.path ?? ''
}

function parseLeaf(bytes: Buffer): Leaf | null {
  try {
    return leafSchema.parse(JSON.parse(bytes.toString('utf8')))
  } catch {
    return null
  }
}

/** One flaw a file is enough to name it. */
function distinctFiles(flaws: readonly Flaw[]): Flaw[] {
  return [...new Map([...flaws].reverse().map(flaw => [flaw.file, flaw])).values()].reverse()
}
