import { InternalError } from '../config/errors.js'
import type { Emit } from '../engine/settings.js'
import type { JournalEvent } from '../journal/events.js'
import type { ExitCode } from '../journal/exit.js'
import { openFold, type RunFold } from '../journal/fold.js'
import type { RunState } from '../journal/state.js'
import type { Plan } from '../plan/types.js'
import type { Redactor } from '../text/redactor.js'
import type { EventReader, EventSink } from './request.js'

/** What a stream of events is made of. */
export interface StreamOptions {
  readonly plan: Plan
  /** What earlier sessions of the run have written: the fold knows it, and no reader is told of it again. */
  readonly before?: readonly JournalEvent[]
  readonly sink: EventSink
  readonly readersFor: (fold: RunFold) => readonly EventReader[]
  /** Keeps the lab's secrets out of every event. */
  readonly redactor: Redactor
  /** Makes the reports of an environment that has ended; one at a time. */
  readonly report: (environment: string, fold: RunFold) => Promise<void>
}

/**
 * The events of a run on their way from the engine to sink, fold, readers and reports. Nobody is told of an event that
 * is not written. The first event that cannot be written aborts {@link broken}.
 */
export class EventStream {
  readonly fold: RunFold
  /** Those that have not failed. */
  #readers: readonly EventReader[]
  readonly #options: StreamOptions
  readonly #broken = new AbortController()
  readonly #trouble: Error[] = []
  /** What is under way: a run has too many events to remember those that are through. */
  readonly #telling = new Set<Promise<void>>()
  #isWhole = true
  #reporting: Promise<unknown> = Promise.resolve()

  constructor(options: StreamOptions) {
    this.#options = options
    this.fold = openFold(options.plan)
    for (const event of options.before ?? []) {
      this.fold.add(event)
    }
    this.#readers = options.readersFor(this.fold)
  }

  /** Aborts when the run cannot be written down any more. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  /** What went wrong here, the first first: bugs of ours, and what could not be written. */
  get trouble(): readonly Error[] {
    return this.#trouble
  }

  /** Sends an event on its way, and returns at once. */
  readonly emit: Emit = body => {
    const telling = this.#options.sink
      .append(this.#options.redactor.value(body))
      .then(event => this.#tell(event))
    this.#await(telling.catch(error => this.giveUp(error)))
  }

  /** What {@link settled} waits for. It must not fail. */
  #await(telling: Promise<void>): void {
    this.#telling.add(telling)
    void telling.then(() => this.#telling.delete(telling))
  }

  /** Ends the run for an error of its own: an event or a report that could not be written. */
  giveUp(error: unknown): void {
    this.#isWhole = false
    this.#remember(error)
    this.#broken.abort(error)
  }

  /** Resolves when every event so far is written and told, and the reports that followed from them are made. */
  async settled(): Promise<void> {
    // What is told may have readers do something that is awaited, too.
    while (this.#telling.size > 0) {
      await Promise.all(this.#telling)
    }
    await this.#reporting
  }

  /** Tells each reader what the run came to, unless it could not be written down: then there is an error to show. */
  async end(state: RunState, exitCode: ExitCode, folder: string): Promise<void> {
    for (const reader of this.#isWhole ? this.#readers : []) {
      // A report that could not be written is known to those that are told after it.
      const code = this.#trouble.length === 0 ? exitCode : 4
      await this.#toReader(reader, () => reader.end(state, code, folder))
    }
  }

  /** A reader that fails costs itself, and the exit code: the run's results are worth more. */
  #toReader(reader: EventReader, tell: () => unknown): Promise<void> | undefined {
    const fail = (error: unknown): void => {
      this.#readers = this.#readers.filter(one => one !== reader)
      this.#remember(error)
    }
    try {
      const telling = tell()
      return telling instanceof Promise ? telling.then(() => undefined, fail) : undefined
    } catch (error) {
      fail(error)
      return undefined
    }
  }

  #tell(event: JournalEvent): void {
    this.fold.add(event)
    for (const reader of this.#readers) {
      const telling = this.#toReader(reader, () => reader.event(event))
      if (telling !== undefined) {
        this.#await(telling)
      }
    }
    if (event.type === 'environment-ended') {
      this.#reporting = this.#reporting
        .then(() => this.#options.report(event.environment, this.fold))
        .catch(error => this.giveUp(error))
    }
  }

  #remember(error: unknown): void {
    this.#trouble.push(error instanceof Error ? error : new InternalError(String(error)))
  }
}
