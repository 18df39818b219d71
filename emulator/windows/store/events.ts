export type Level = 'Critical' | 'Error' | 'Warning' | 'Information'

export interface EventRecord {
  readonly log: string
  readonly record: number
  readonly source: string
  readonly id: number
  readonly level: Level
  /** Ms since 1970 on the guest's clock. */
  readonly timeMs: number
  readonly text: string
  readonly inserts: readonly string[]
  readonly computer: string
  readonly user: string | undefined
  readonly guid: string | undefined
  readonly category: number
  /** Hexadecimal with `0x`. */
  readonly keywords: string
  readonly pid: number
}

export const levelNumbers: Readonly<Record<Level, number>> = {
  Critical: 1,
  Error: 2,
  Warning: 3,
  Information: 4,
}

/** The event logs of one guest. They outlive a boot; record numbers rise and are never given twice. */
export class EventLogs {
  readonly #logs = new Map<string, EventRecord[]>()
  readonly #next = new Map<string, number>()

  constructor(firstRecord: Readonly<Record<string, number>>) {
    for (const [log, first] of Object.entries(firstRecord)) {
      this.#logs.set(log.toLowerCase(), [])
      this.#next.set(log.toLowerCase(), first)
    }
  }

  /** The same records once more. */
  copy(): EventLogs {
    const copy = new EventLogs({})
    for (const [log, records] of this.#logs) copy.#logs.set(log, [...records])
    for (const [log, next] of this.#next) copy.#next.set(log, next)
    return copy
  }

  add(event: Omit<EventRecord, 'record'>): EventRecord {
    const key = event.log.toLowerCase()
    const record = this.#next.get(key) ?? 1
    this.#next.set(key, record + 1)
    const full = { ...event, record }
    const log = this.#logs.get(key) ?? []
    log.push(full)
    this.#logs.set(key, log)
    return full
  }

  /** The records of a log, oldest first; undefined when there is no such log. */
  read(log: string): readonly EventRecord[] | undefined {
    return this.#logs.get(log.toLowerCase())
  }

  names(): string[] {
    return ['Application', 'Security', 'System'].filter(name => this.#logs.has(name.toLowerCase()))
  }

  clear(log: string): void {
    this.#logs.set(log.toLowerCase(), [])
    this.#next.set(log.toLowerCase(), 1)
  }
}
