import { type FileHandle, open } from 'node:fs/promises'
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
}

interface Waiting {
  readonly event: JournalEvent
  readonly resolve: (event: JournalEvent) => void
  readonly reject: (error: Error) => void
}

/**
 * Appends events to a journal. An event's promise resolves once it is on disk (fdatasync, in groups),
 * so that nobody is told of a verdict that a crash could take back. After one failed write every
 * later append fails too: a journal has no holes.
 */
export class JournalWriter {
  readonly #file: FileHandle
  readonly #epoch: number
  readonly #groupMs: number
  readonly #startedAt = performance.now()
  #seq: number
  #size: number
  #queue: Waiting[] = []
  #flushing: Promise<void> | null = null
  #failure: Error | null = null

  private constructor(file: FileHandle, size: number, options: WriterOptions) {
    this.#file = file
    this.#size = size
    this.#epoch = options.epoch
    this.#seq = options.firstSeq
    this.#groupMs = options.groupMs ?? defaultGroupMs
  }

  static async open(options: WriterOptions): Promise<JournalWriter> {
    const file = await open(options.path, 'a+')
    const { size } = await file.stat()
    return new JournalWriter(file, size, options)
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

  /** Waits for what is queued, then closes the file. */
  async close(): Promise<void> {
    await this.#flushing
    await this.#file.close()
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
    await this.#refuseSuccessor()
    const bytes = Buffer.from(group.map(({ event }) => `${JSON.stringify(event)}\n`).join(''))
    await this.#file.appendFile(bytes)
    await this.#file.datasync()
    this.#size += bytes.length
  }

  /** Somebody else's bytes in the file mean that another session has taken over. */
  async #refuseSuccessor(): Promise<void> {
    const { size } = await this.#file.stat()
    if (size !== this.#size) {
      throw new Error('another session of the runner has taken this journal over')
    }
  }

  #fail(error: unknown, lost: readonly Waiting[]): void {
    const why = error instanceof Error ? error.message : String(error)
    this.#failure = new InternalError(`the journal cannot be written: ${why}`, { cause: error })
    this.#queue = []
    for (const { reject } of lost) {
      reject(this.#failure)
    }
  }
}
