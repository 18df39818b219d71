import { setMaxListeners } from 'node:events'
import type { Pulse } from '../../pulse.js'

/** Thrown inside a process that is ended from outside. */
export class Ended extends Error {
  readonly code: number

  constructor(code: number) {
    super(`ended with status ${code}`)
    this.code = code
  }
}

/** What a new process starts from. */
export interface ProcessStart {
  readonly image: string
  readonly line: string
  readonly parent?: WinProcess | undefined
  readonly user?: string
  readonly session?: number
  readonly kb?: number
}

/** One process of an emulated Windows guest. */
export class WinProcess {
  readonly pid: number
  ppid: number
  readonly image: string
  readonly line: string
  readonly user: string
  readonly session: number
  /** Working set in KiB. */
  readonly kb: number
  /** Wall clock of its start, ms since 1970. */
  readonly startedMs: number
  readonly signal: AbortSignal
  readonly ended: Promise<number>
  status: number | undefined
  /** Processes that boot started cannot be ended here. */
  protected = false
  readonly #pulse: Pulse
  readonly #death = new AbortController()
  #settle: (code: number) => void = () => {}

  constructor(pid: number, pulse: Pulse, startedMs: number, start: ProcessStart) {
    this.pid = pid
    this.#pulse = pulse
    this.ppid = start.parent?.pid ?? 0
    this.image = start.image
    this.line = start.line
    this.user = start.user ?? start.parent?.user ?? 'SYSTEM'
    this.session = start.session ?? start.parent?.session ?? 0
    this.kb = start.kb ?? 3200
    this.startedMs = startedMs
    this.signal = this.#death.signal
    // Each thread of a process waits for its end as well as for its own work, and a pool has any number of threads.
    setMaxListeners(0, this.signal)
    this.ended = new Promise(resolve => {
      this.#settle = resolve
    })
  }

  /** Ends it from outside, as TerminateProcess does. */
  terminate(code: number): void {
    if (this.status === undefined && !this.signal.aborted) this.#death.abort(new Ended(code))
  }

  /** Writes down that it has ended. */
  end(code: number): void {
    if (this.status !== undefined) return
    this.status = code
    if (!this.signal.aborted) this.#death.abort(new Ended(code))
    this.#settle(code)
  }

  /** Waits for something else without outliving the process; on a halted guest it does not notice that it is there. */
  whileAlive<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) return reject(this.signal.reason)
      const stop = (): void => reject(this.signal.reason)
      this.signal.addEventListener('abort', stop, { once: true })
      work
        .finally(() => this.#pulse.going())
        .then(resolve, reject)
        .finally(() => this.signal.removeEventListener('abort', stop))
    })
  }

  /** Sleeps that long, or until it is ended. */
  sleep(ms: number): Promise<void> {
    let takeBack = (): void => {}
    const slept = new Promise<void>(resolve => {
      takeBack = this.#pulse.after(Math.max(0, ms), resolve)
    })
    return this.whileAlive(slept).finally(takeBack)
  }
}

/** The processes of one boot. Ids are multiples of four and are given again. */
export class WinProcessTable {
  readonly #processes = new Map<number, WinProcess>()
  readonly #pulse: Pulse
  readonly #wallMs: () => number
  #next: number

  constructor(pulse: Pulse, wallMs: () => number, firstPid: number) {
    this.#pulse = pulse
    this.#wallMs = wallMs
    this.#next = firstPid
  }

  spawn(start: ProcessStart): WinProcess {
    while (this.#processes.has(this.#next)) this.#next += 4
    const process = new WinProcess(this.#next, this.#pulse, this.#wallMs(), start)
    this.#next = this.#next > 9000 ? 1000 : this.#next + 4 * (1 + (this.#next % 7))
    this.#processes.set(process.pid, process)
    void process.ended.then(() => this.#processes.delete(process.pid))
    return process
  }

  /** A process that boot started and that only stands in lists. */
  register(pid: number, start: ProcessStart): WinProcess {
    const process = new WinProcess(pid, this.#pulse, this.#wallMs(), start)
    process.protected = true
    this.#processes.set(pid, process)
    return process
  }

  get(pid: number): WinProcess | undefined {
    return this.#processes.get(pid)
  }

  list(): WinProcess[] {
    return [...this.#processes.values()].sort((a, b) => a.pid - b.pid)
  }

  /** A process and all that it started, the children first. */
  tree(root: WinProcess): WinProcess[] {
    const children = this.list().filter(process => process.ppid === root.pid && process.pid !== root.pid)
    return [...children.flatMap(child => this.tree(child)), root]
  }
}
