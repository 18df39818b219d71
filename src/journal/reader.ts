import { createReadStream } from 'node:fs'
import { ConfigError, UsageError } from '../config/errors.js'
import { otherFormat } from '../config/format.js'
import { type JournalEvent, journalVersion } from './events.js'
import { missingField } from './fields.js'

/** What a reader may want to know besides the events. */
export interface ReadOptions {
  /** Called when the last line is torn: the runner died while writing it, and it is left out. */
  readonly onTorn?: (line: number) => void
}

/** One line of a journal: its text, and whether its end was there. */
interface Line {
  readonly text: string
  readonly number: number
  readonly whole: boolean
}

/** A line that is not an event; an error unless it proves to be what a dead runner left. */
interface BadLine {
  readonly number: number
  readonly why: string
}

/**
 * Reads a journal, event by event. A torn last line is left out, and so is one that a dead runner left
 * just before a new session. Events of a session that a later one has superseded are left out from
 * there on: a journal has one writer at a time.
 *
 * @throws ConfigError naming the line for any other line that is not an event, and for another format.
 * @throws UsageError when there is no such file.
 */
export async function* readJournal(path: string, options: ReadOptions = {}): AsyncIterable<JournalEvent> {
  let epoch = 0
  let bad: BadLine | null = null
  for await (const line of lines(path)) {
    if (!line.whole) {
      options.onTorn?.(line.number)
      break
    }
    if (line.text === '') continue
    const event = parseLine(line.text, path, line.number)
    if ('why' in event) {
      if (bad !== null) refuse(path, bad)
      bad = event
      continue
    }
    const opensSession = event.type === 'session-started' && event.epoch > epoch
    if (bad !== null && !opensSession) refuse(path, bad)
    bad = null
    if (event.epoch < epoch) continue
    epoch = event.epoch
    yield event
  }
  if (bad !== null) options.onTorn?.(bad.number)
}

/** All events of a journal; see {@link readJournal} for what is left out and what is thrown. */
export async function readAll(path: string, options: ReadOptions = {}): Promise<readonly JournalEvent[]> {
  const events: JournalEvent[] = []
  for await (const event of readJournal(path, options)) events.push(event)
  return events
}

/** The journal's name in a run's folder. */
export const journalFile = 'journal.ndjson'

/** No event of ours comes near: what a command printed is kept in files of its own. */
const longestLine = 64 * 1024 * 1024

async function* lines(path: string): AsyncIterable<Line> {
  let rest: string[] = []
  let length = 0
  let number = 0
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8' }) as AsyncIterable<string>) {
      const [first = '', ...others] = chunk.split('\n')
      length += first.length
      if (length > longestLine) {
        refuse(path, { number: number + 1, why: `the line is longer than ${longestLine} characters` })
      }
      rest.push(first)
      for (const next of others) {
        yield { text: rest.join(''), number: ++number, whole: true }
        rest = [next]
        length = next.length
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new UsageError(`there is no journal at ${path}`)
    }
    throw error
  }
  if (length > 0) yield { text: rest.join(''), number: ++number, whole: false }
}

function parseLine(text: string, path: string, number: number): JournalEvent | BadLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { number, why: 'the line is not JSON' }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { number, why: 'the line is not a JSON object' }
  }
  const version = (value as { v?: unknown }).v
  const mistake = otherFormat('journal', version, journalVersion)
  if (mistake !== null) {
    refuse(path, { number, why: mistake })
  }
  const missing = missingField(value as Record<string, unknown>)
  return missing === null ? (value as JournalEvent) : { number, why: missing }
}

function refuse(file: string, { number, why }: BadLine): never {
  throw new ConfigError([{ place: { file, line: number, column: 1 }, message: why }])
}
