import { formatDuration } from '../../../config/units.js'
import type { JournalEvent, Verdict } from '../../../journal/events.js'
import type { RunFold } from '../../../journal/fold.js'
import type { TestState } from '../../../journal/state.js'

/** What an environment does at this moment. */
export interface Doing {
  readonly environment: string
  /** `null` before an instance was started. */
  readonly host: string | null
  /** The test that runs, and how many beside it; or what its instance does between tests. */
  readonly what: string
  /** The test that has run for longest; `null` between tests. */
  readonly test: string | null
  /** Wall clock, in ms since 1970. */
  readonly sinceMs: number
  readonly waiting: { readonly what: string; readonly until: string | null } | null
}

/** What a run does, and what it has come to so far. */
export interface Activity {
  /** Environments that do something, in the order in which they began. */
  readonly doing: readonly Doing[]
  readonly finished: number
  readonly counts: Readonly<Record<Verdict | 'flaky', number>>
  /** Tests that have a final verdict, as `environment\ntest`. */
  isFinished(environment: string, test: string): boolean
  readonly startedMs: number | null
}

/** Follows a run's events. The fold has added each of them before. */
export class ActivityFold implements Activity {
  readonly #fold: RunFold
  readonly #doing = new Map<string, Doing>()
  /** When each test began that runs, by environment: several may run at once. */
  readonly #running = new Map<string, Map<string, number>>()
  readonly #final = new Map<string, Verdict | 'flaky'>()
  readonly #counts: Record<Verdict | 'flaky', number> = {
    pass: 0,
    fail: 0,
    error: 0,
    skip: 0,
    blocked: 0,
    'not-run': 0,
    flaky: 0,
  }
  startedMs: number | null = null

  constructor(fold: RunFold) {
    this.#fold = fold
  }

  get doing(): readonly Doing[] {
    return [...this.#doing.values()]
  }

  get finished(): number {
    return this.#final.size
  }

  get counts(): Activity['counts'] {
    return this.#counts
  }

  isFinished(environment: string, test: string): boolean {
    return this.#final.has(`${environment}\n${test}`)
  }

  /** Takes the next event. */
  add(event: JournalEvent): void {
    const atMs = Date.parse(event.at)
    if (this.startedMs === null) this.#begin(atMs)
    switch (event.type) {
      case 'instance-started':
        if (event.peer === undefined)
          this.#set(event.environment, atMs, { host: event.host, what: 'starting' })
        break
      case 'instance-ready':
        this.#set(event.environment, atMs, { what: 'ready', test: null })
        break
      case 'test-started':
        this.#runningIn(event.environment).set(event.test, atMs)
        this.#setTests(event.environment, atMs)
        break
      case 'test-ended':
        this.#ended(event.environment, event.test, event.final)
        this.#runningIn(event.environment).delete(event.test)
        if (this.#doing.has(event.environment)) this.#setTests(event.environment, atMs)
        break
      case 'waiting':
        this.#wait(event.environment, atMs, { what: event.what, until: event.until ?? null })
        break
      case 'lease-awaited':
        this.#wait(event.environment, atMs, {
          what: `${event.machine}, which ${event.owner} has, at most ${formatDuration(event.limitMs)}`,
          until: new Date(atMs + event.limitMs).toISOString(),
        })
        break
      case 'instance-failed':
        this.#set(event.environment, atMs, { what: 'tearing down', test: null })
        break
      case 'instance-ended':
      case 'environment-ended':
        this.#doing.delete(event.environment)
        this.#running.delete(event.environment)
        break
    }
  }

  /** A resumed run has results already. */
  #begin(atMs: number): void {
    this.startedMs = atMs
    for (const test of this.#fold.state().environments.flatMap(({ tests }) => tests)) {
      if (test.stands) this.#count(test)
    }
  }

  #set(environment: string, sinceMs: number, change: Partial<Doing>): void {
    const known = this.#doing.get(environment)
    const before = known ?? { environment, host: null, what: '', test: null }
    this.#doing.set(environment, { ...before, ...change, sinceMs, waiting: null })
  }

  #runningIn(environment: string): Map<string, number> {
    const running = this.#running.get(environment) ?? new Map<string, number>()
    this.#running.set(environment, running)
    return running
  }

  #setTests(environment: string, atMs: number): void {
    const running = this.#runningIn(environment)
    const [first] = running
    if (first === undefined) {
      this.#set(environment, atMs, { what: 'between tests', test: null })
    } else {
      const [test, sinceMs] = first
      const more = running.size === 1 ? '' : ` and ${running.size - 1} more`
      this.#set(environment, sinceMs, { what: `${test}${more}`, test })
    }
  }

  /** A wait changes nothing of what is being done, and since when. */
  #wait(environment: string, atMs: number, waiting: NonNullable<Doing['waiting']>): void {
    const known = this.#doing.get(environment)
    const before = known ?? { environment, host: null, what: 'waiting', test: null, sinceMs: atMs }
    this.#doing.set(environment, { ...before, waiting })
  }

  #ended(environment: string, id: string, final: boolean): void {
    const test = this.#fold.test(environment, id)
    if (!final || test === undefined || test.verdict === 'not-run') return
    this.#count(test)
  }

  #count({ environment, planned, flaky, verdict }: TestState): void {
    const key = `${environment}\n${planned.id}`
    const before = this.#final.get(key)
    if (before !== undefined) this.#counts[before] -= 1
    const kind = flaky ? 'flaky' : verdict
    this.#final.set(key, kind)
    this.#counts[kind] += 1
  }
}
