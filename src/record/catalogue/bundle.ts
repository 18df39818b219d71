import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { stringify } from 'yaml'
import { sha256 } from '../canonical.js'
import { recordFile } from '../ledger/config.js'
import type { Record } from '../ledger/read.js'
import { checkpointFile, replace } from '../ledger/store.js'
import { inclusionProof } from '../log/proof.js'
import { catalogueOf } from './build.js'
import { verifyPage } from './verify-page.js'

/** How a bundle is made. */
export interface BundleOptions {
  /** The folder to write to. Absolute. */
  readonly to: string
  readonly nowMs: number
  /** Without journals and plans, which hold names of the lab. */
  readonly isRedacted: boolean
}

/** What of a record goes into a bundle: never a private key, which may lie beside. */
const taken = /^(trust\.yaml|checkpoint|(tile|objects|runs|heads)\/.*)$/

/**
 * Writes a bundle that can be verified without this program: the record, a proof for each entry, the catalogue, a list of
 * all files with their SHA-256, and `VERIFY.md`. Returns how many files it has.
 */
export async function writeBundle(record: Record, { to, nowMs, isRedacted }: BundleOptions): Promise<number> {
  const files = new Map<string, Buffer | string>()
  const names = (await readdir(record.folder, { recursive: true }))
    .map(name => name.split(sep).join('/'))
    .sort()
  for (const name of names) {
    const isLeftOut =
      !taken.test(name) || (isRedacted && /^runs\/[^/]+\/(journal\.ndjson|plan\.json)$/.test(name))
    const content = isLeftOut ? null : await readFile(join(record.folder, name)).catch(() => null)
    if (content !== null) files.set(`record/${name}`, content)
  }
  const { record: name, party } = record.config
  files.set(`record/${recordFile}`, stringify({ record: name, party }))
  const head = await readFile(join(record.folder, checkpointFile), 'utf8')
  for (const { leaf, index } of record.entries) {
    files.set(`proofs/${leaf}.tlog-proof`, inclusionProof(record.log.tree, index, head))
  }
  for (const { path, content } of catalogueOf(record, nowMs)) files.set(`catalogue/${path}`, content)
  files.set('VERIFY.md', verifyPage(record, isRedacted))
  const manifest = [...files].map(([path, content]) => `${sha256(content)}  ${path}\n`).sort()
  files.set('SHA256SUMS', manifest.join(''))
  for (const [path, content] of files) await replace(to, path, content)
  return files.size
}
