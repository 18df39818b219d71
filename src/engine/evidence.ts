import { createHash, type Hash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { type FileHandle, open, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { Evidence } from '../journal/events.js'

/** Turns an identity into a file name: `/` becomes `+`, which identities do not hold. */
export function fileNameOf(identity: string): string {
  return identity.replaceAll('/', '+').replace(/[^A-Za-z0-9._@+-]/g, '_')
}

/** One evidence file that is written as output comes, made only when something comes. */
export class EvidenceFile {
  readonly #path: string
  readonly #root: string
  readonly #limitBytes: number
  readonly #hash: Hash = createHash('sha256')
  #handle: FileHandle | null = null
  #bytes = 0
  #cutBytes = 0

  constructor(root: string, path: string, limitBytes: number) {
    this.#root = root
    this.#path = path
    this.#limitBytes = limitBytes
  }

  /** Writes a chunk; resolves when it is written, so that the sender can be held back. */
  async write(chunk: Buffer): Promise<void> {
    const room = Math.max(0, this.#limitBytes - this.#bytes)
    const kept = chunk.subarray(0, room)
    this.#cutBytes += chunk.length - kept.length
    if (kept.length === 0) {
      return
    }
    this.#bytes += kept.length
    this.#hash.update(kept)
    this.#handle ??= await this.#create()
    await this.#handle.write(kept)
  }

  /** Ends the file; `null` when nothing ever came. */
  async close(): Promise<Evidence | null> {
    if (this.#handle === null) {
      return null
    }
    await this.#handle.close()
    return {
      path: relative(this.#root, this.#path).split(sep).join('/'),
      sha256: this.#hash.digest('hex'),
      bytes: this.#bytes,
      ...(this.#cutBytes === 0 ? {} : { cutBytes: this.#cutBytes }),
    }
  }

  #create(): Promise<FileHandle> {
    mkdirSync(dirname(this.#path), { recursive: true })
    return open(this.#path, 'w')
  }
}

/** Describes a file that something else wrote: a console, a log. `null` when it is not there. */
export async function describeFile(root: string, path: string): Promise<Evidence | null> {
  const found = await stat(path).catch(() => null)
  if (found === null || !found.isFile()) {
    return null
  }
  const content = await readFile(path)
  return {
    path: relative(root, path).split(sep).join('/'),
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: content.length,
  }
}

/** A folder for one instance's evidence, inside the run's folder. */
export function instanceFolder(runFolder: string, environment: string, instance: string): string {
  const folder = join(runFolder, 'evidence', fileNameOf(environment), fileNameOf(instance))
  mkdirSync(folder, { recursive: true })
  return folder
}
