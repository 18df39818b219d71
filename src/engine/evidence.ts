import { createHash, type Hash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, statSync, write, writeSync } from 'node:fs'
import { open, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { InternalError } from '../config/errors.js'
import { fileNameOf } from '../config/file-name.js'
import type { Evidence, Verdict } from '../journal/events.js'
import type { RedactedStream, Redactor } from '../text/redactor.js'

/**
 * Up to here a file is written at once, in the turn of the event loop in which the output came: that is far
 * cheaper than a hand-over to another thread, and what has come is on disk if the runner dies. Beyond it the
 * sender is held back until each piece is written.
 */
const writtenAtOnceBytes = 64 * 1024

/** Which file, how much of it at most, and what must not be in it. */
export interface EvidenceOptions {
  /** The run's folder. */
  readonly root: string
  readonly path: string
  readonly limitBytes: number
  readonly redactor?: Redactor
}

/**
 * One evidence file that is written as output comes, made only when something comes. After a write that failed it
 * takes nothing more, and no description of it is given: a digest stands for bytes that are in the file.
 */
export class EvidenceFile {
  readonly #path: string
  readonly #root: string
  readonly #limitBytes: number
  readonly #hash: Hash = createHash('sha256')
  readonly #redacted: RedactedStream | null
  #descriptor: number | null = null
  #bytes = 0
  #cutBytes = 0
  #writing: Promise<void> = Promise.resolve()
  #failure: InternalError | null = null
  #closed: Promise<Evidence | null> | null = null

  constructor({ root, path, limitBytes, redactor }: EvidenceOptions) {
    this.#path = path
    this.#root = root
    this.#limitBytes = limitBytes
    this.#redacted = redactor === undefined || redactor.isIdle ? null : redactor.stream()
  }

  /**
   * Writes a chunk; a promise that it returns resolves when it is written, so that the sender can be held back.
   *
   * @throws InternalError when it cannot be written whole.
   */
  write(chunk: Buffer): Promise<void> | undefined {
    return this.#take(this.#redacted === null ? chunk : this.#redacted.push(chunk))
  }

  #take(chunk: Buffer): Promise<void> | undefined {
    if (this.#failure !== null) {
      throw this.#failure
    }
    const kept = chunk.subarray(0, Math.max(0, this.#limitBytes - this.#bytes))
    this.#cutBytes += chunk.length - kept.length
    if (kept.length === 0) {
      return undefined
    }
    const isSmall = this.#bytes + kept.length <= writtenAtOnceBytes
    try {
      const descriptor = this.#descriptor ?? openSync(this.#path, 'w')
      this.#descriptor = descriptor
      this.#bytes += kept.length
      this.#hash.update(kept)
      if (isSmall) {
        writeAllNow(descriptor, kept)
        return undefined
      }
      // Output of one stream comes piece by piece, but nothing here relies on it.
      this.#writing = this.#writing
        .then(() => writeAll(descriptor, kept))
        .catch((error: unknown) => this.#fail(error))
      return this.#writing
    } catch (error) {
      return this.#fail(error)
    }
  }

  /**
   * Ends the file; `null` when nothing ever came. May be called again.
   *
   * @throws InternalError when something could not be written, or is not in the file.
   */
  close(): Promise<Evidence | null> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<Evidence | null> {
    try {
      // What might have gone on as a secret, and has not.
      await this.#take(this.#redacted?.end() ?? Buffer.alloc(0))
    } catch {
      // A failure is kept: it is thrown below.
    }
    await this.#writing.catch(() => {})
    try {
      if (this.#descriptor !== null) {
        // NFS and CIFS may say only now that the disk is full.
        closeSync(this.#descriptor)
      }
      if (this.#failure === null && this.#descriptor !== null) {
        this.#verify()
      }
    } catch (error) {
      this.#fail(error)
    }
    if (this.#failure !== null) {
      throw this.#failure
    }
    if (this.#descriptor === null) {
      return null
    }
    return {
      path: relative(this.#root, this.#path).split(sep).join('/'),
      sha256: this.#hash.digest('hex'),
      bytes: this.#bytes,
      ...(this.#cutBytes === 0 ? {} : { cutBytes: this.#cutBytes }),
    }
  }

  /** The end of a closed file as text, from a line's beginning; at most so many bytes, and empty where there is none. */
  async tail(mostBytes: number): Promise<string> {
    const from = Math.max(0, this.#bytes - mostBytes)
    const file = this.#bytes === 0 ? null : await open(this.#path, 'r').catch(() => null)
    if (file === null) {
      return ''
    }
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(this.#bytes - from), 0, null, from)
      const read = buffer.subarray(0, bytesRead)
      const nextLine = from === 0 ? -1 : read.indexOf('\n')
      return read.subarray(nextLine < read.length - 1 ? nextLine + 1 : 0).toString()
    } finally {
      await file.close()
    }
  }

  /** The file that stands there now is as long as what was written. */
  #verify(): void {
    const { size } = statSync(this.#path)
    if (size !== this.#bytes) {
      throw new Error(`it has ${size} bytes, and ${this.#bytes} were written`)
    }
  }

  #fail(error: unknown): never {
    const why = error instanceof Error ? error.message : String(error)
    this.#failure ??= new InternalError(`the evidence ${this.#path} cannot be written: ${why}`, {
      cause: error,
    })
    throw this.#failure
  }
}

/** What a reader sees of standard error without opening its file. */
const shownStderrBytes = 4 * 1024

/** The end of a closed file of standard error, for an attempt that failed or was not carried out. */
export async function stderrOf(
  file: EvidenceFile,
  { verdict }: { readonly verdict: Verdict },
): Promise<{ readonly stderr?: string }> {
  const stderr = verdict === 'fail' || verdict === 'error' ? await file.tail(shownStderrBytes) : ''
  return stderr.trim() === '' ? {} : { stderr }
}

const writeOnce = promisify(write)

/** On a disk that is nearly full the system writes a part and says so; only the next write fails. */
async function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  for (let from = 0; from < bytes.length; ) {
    const { bytesWritten } = await writeOnce(descriptor, bytes, from)
    from += somethingOf(bytesWritten)
  }
}

function writeAllNow(descriptor: number, bytes: Buffer): void {
  for (let from = 0; from < bytes.length; ) {
    from += somethingOf(writeSync(descriptor, bytes, from))
  }
}

function somethingOf(bytesWritten: number): number {
  if (bytesWritten === 0) {
    throw new Error('the system wrote nothing, and gave no reason')
  }
  return bytesWritten
}

/**
 * Describes a file that something else wrote: a console, a log. What the redactor finds in it is replaced first.
 * `null` when it is not there.
 */
export async function describeFile(
  root: string,
  path: string,
  redactor?: Redactor,
): Promise<Evidence | null> {
  const found = await stat(path).catch(() => null)
  if (found === null || !found.isFile()) {
    return null
  }
  const raw = await readFile(path)
  const content = redactor === undefined || redactor.isIdle ? raw : redactor.bytes(raw)
  if (!content.equals(raw)) {
    await writeFile(`${path}.redacted`, content)
    await rename(`${path}.redacted`, path)
  }
  return {
    path: relative(root, path).split(sep).join('/'),
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: content.length,
  }
}

/** A folder for one instance's evidence, inside the run's folder. @throws InternalError when that is not there. */
export function instanceFolder(runFolder: string, environment: string, instance: string): string {
  if (!existsSync(runFolder)) {
    throw new InternalError(`the run's folder ${runFolder} is no longer there`)
  }
  const folder = join(runFolder, 'evidence', fileNameOf(environment), fileNameOf(instance))
  mkdirSync(folder, { recursive: true })
  return folder
}
