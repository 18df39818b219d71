import { createHash, type Hash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, write, writeSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import type { Evidence } from '../journal/events.js'

/** Turns an identity into a file name: `/` becomes `+`, which identities do not hold. */
export function fileNameOf(identity: string): string {
  return identity.replaceAll('/', '+').replace(/[^A-Za-z0-9._@+-]/g, '_')
}

/**
 * Up to here a file is written at once, in the turn of the event loop in which the output came: that is far
 * cheaper than a hand-over to another thread, and what has come is on disk if the runner dies. Beyond it the
 * sender is held back until each piece is written.
 */
const writtenAtOnceBytes = 64 * 1024

/** One evidence file that is written as output comes, made only when something comes. */
export class EvidenceFile {
  readonly #path: string
  readonly #root: string
  readonly #limitBytes: number
  readonly #hash: Hash = createHash('sha256')
  #descriptor: number | null = null
  #bytes = 0
  #cutBytes = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(root: string, path: string, limitBytes: number) {
    this.#path = path
    this.#root = root
    this.#limitBytes = limitBytes
  }

  /** Writes a chunk; a promise that it returns resolves when it is written, so that the sender can be held back. */
  write(chunk: Buffer): Promise<void> | undefined {
    const kept = chunk.subarray(0, Math.max(0, this.#limitBytes - this.#bytes))
    this.#cutBytes += chunk.length - kept.length
    if (kept.length === 0) {
      return undefined
    }
    const descriptor = this.#descriptor ?? openSync(this.#path, 'w')
    this.#descriptor = descriptor
    const isSmall = this.#bytes + kept.length <= writtenAtOnceBytes
    this.#bytes += kept.length
    this.#hash.update(kept)
    if (isSmall) {
      writeSync(descriptor, kept)
      return undefined
    }
    // Output of one stream comes piece by piece, but nothing here relies on it.
    this.#writing = this.#writing.then(() => writeAll(descriptor, kept))
    return this.#writing
  }

  /** Ends the file; `null` when nothing ever came. Rejects when something could not be written. */
  async close(): Promise<Evidence | null> {
    if (this.#descriptor === null) {
      return null
    }
    try {
      await this.#writing
    } finally {
      closeSync(this.#descriptor)
    }
    return {
      path: relative(this.#root, this.#path).split(sep).join('/'),
      sha256: this.#hash.digest('hex'),
      bytes: this.#bytes,
      ...(this.#cutBytes === 0 ? {} : { cutBytes: this.#cutBytes }),
    }
  }
}

const writeOnce = promisify(write)

async function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  for (let from = 0; from < bytes.length; ) {
    const { bytesWritten } = await writeOnce(descriptor, bytes, from)
    from += bytesWritten
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
