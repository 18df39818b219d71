import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { InternalError } from '../config/errors.js'
import { type EventBody, type JournalEvent, journalVersion } from './events.js'

/** How long events gather before they are forced to disk together, in ms. */
const defaultGroupMs = 15

export interface WriterOptions {
  readonly path: string
  /** This session's number; a writer that finds a higher one in the file stops. */
  readonly epoch: number
  /** The number of the first event that this session writes. */
  readonly firstSeq: number
  readonly groupMs?: number
  /** Told once, with the system's code, when the file system cannot force anything to disk. */
  readonly onUnsynced?: (code: string) => void
}

/** A file system without fsync says one of these; anything else is a write that may be lost. */
const withoutSync: ReadonlySet<unknown> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** A file's identity while it is open. */
type Identity = readonly [dev: number, ino: number]

interface Waiting {
  readonly event: JournalEvent
  readonly resolve: (event: JournalEvent) => void
  readonly reject: (error: Error) => void
}

/**
 * Appends events to a journal. An event's promise resolves once it is on disk (fdatasync, in groups),
 * so that nobody is told of a verdict that a crash could take back. After one failed write every
 * later append fails too: a journal has no holes. So does one whose file is no longer the one that stands at
 * its path: nobody would ever read what is written to a file that was removed.
 */
export class JournalWriter {
  readonly #file: FileHandle
  readonly #path: string
  /** `null` on file systems where a file's identity differs between its path and its descriptor. */
  readonly #identity: Identity | null
  readonly #onUnsynced: (code: string) => void
  readonly #epoch: number
  readonly #groupMs: number
  readonly #startedAt = performance.now()
  #seq: number
  #size: number
  #queue: Waiting[] = []
  #flushing: Promise<void> | null = null
  #failure: Error | null = null
  #isGone = false
  #syncs = true

  private constructor(file: FileHandle, size: number, identity: Identity | null, options: WriterOptions) {
    this.#file = file
    this.#path = options.path
    this.#size = size
    this.#identity = identity
    this.#onUnsynced = options.onUnsynced ?? (() => {})
    this.#epoch = options.epoch
    this.#seq = options.firstSeq
    this.#groupMs = options.groupMs ?? defaultGroupMs
  }

  /** @throws InternalError when the file cannot be made. */
  static async open(options: WriterOptions): Promise<JournalWriter> {
    try {
      const file = await open(options.path, 'a+')
      await endTornLine(file)
      const [held, there] = [await file.stat(), await stat(options.path)]
      const isSame = held.dev === there.dev && held.ino === there.ino
      return new JournalWriter(file, held.size, isSame ? [held.dev, held.ino] : null, options)
    } catch (error) {
      throw unwritable(error)
    }
  }

  /** True when the journal was removed, replaced or taken over: what else is in its folder is not this session's any more. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Resolves with the stamped event when it is on disk. Rejects with InternalError when it never will be. */
  append(body: EventBody): Promise<JournalEvent> {
    if (this.#failure !== null) {
      return Promise.reject(this.#failure)
    }
    const event: JournalEvent = {
      v: journalVersion,
      seq: this.#seq,
      epoch: this.#epoch,
      at: new Date().toISOString(),
      ms: Math.round(performance.now() - this.#startedAt),
      ...body,
    }
    this.#seq += 1
    return new Promise((resolve, reject) => {
      this.#queue.push({ event, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  /**
   * Waits for what is queued, then closes the file.
   *
   * @throws InternalError when the journal is not there, whole, at its path.
   */
  async close(): Promise<void> {
    await this.#flushing
    try {
      if (this.#failure === null) {
        await this.#verify()
      }
    } catch (error) {
      this.#fail(error, [])
      throw this.#failure
    } finally {
      await this.#file.close()
    }
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      await wait(this.#groupMs)
      const group = this.#queue
      this.#queue = []
      try {
        await this.#write(group)
        for (const { event, resolve } of group) {
          resolve(event)
        }
      } catch (error) {
        this.#fail(error, [...group, ...this.#queue])
      }
    }
    this.#flushing = null
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    await this.#verify()
    const bytes = Buffer.from(group.map(({ event }) => `${JSON.stringify(event)}\n`).join(''))
    await this.#file.appendFile(bytes)
    await this.#sync()
    this.#size += bytes.length
    await this.#verify()
  }

  async #sync(): Promise<void> {
    if (!this.#syncs) {
      return
    }
    await this.#file.datasync().catch((error: NodeJS.ErrnoException) => {
      if (!withoutSync.has(error.code)) {
        throw error
      }
      this.#syncs = false
      this.#onUnsynced(error.code ?? error.message)
    })
  }

  /**
   * The file at the path is ours. Somebody else's bytes in it mean that another session has taken over.
   */
  async #verify(): Promise<void> {
    const there = await stat(this.#path).catch((error: NodeJS.ErrnoException) => {
      this.#isGone = error.code === 'ENOENT' || error.code === 'ENOTDIR'
      throw this.#isGone ? new Error(`${this.#path} was removed while the run wrote to it`) : error
    })
    const [dev, ino] = this.#identity ?? [there.dev, there.ino]
    if (there.dev !== dev || there.ino !== ino) {
      this.#isGone = true
      throw new Error(`${this.#path} was replaced while the run wrote to it`)
    }
    if (there.size > this.#size) {
      this.#isGone = true
      throw new Error('another session of the runner has taken this journal over')
    }
    if (there.size < this.#size) {
      throw new Error(`${this.#path} was cut: ${there.size} bytes of ${this.#size} are left`)
    }
  }

  #fail(error: unknown, lost: readonly Waiting[]): void {
    this.#failure = unwritable(error)
    this.#queue = []
    for (const { reject } of lost) {
      reject(this.#failure)
    }
  }
}

/** What a dead session has begun to write is not an event, even where it looks whole: nobody was told of it. */
async function endTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  const last = Buffer.alloc(1)
  if (size > 0 && (await file.read(last, 0, 1, size - 1)).bytesRead === 1 && last.toString() !== '\n') {
    await file.appendFile(' (torn)\n')
  }
}

function unwritable(error: unknown): InternalError {
  const why = error instanceof Error ? error.message : String(error)
  return new InternalError(`the journal cannot be written: ${why}`, { cause: error })
}
