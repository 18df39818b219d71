import type { Bytes } from '../files/bytes.js'
import type { Viewer } from '../files/nodes.js'
import { Descriptors } from '../files/open-file.js'
import type { Pulse } from '../pulse.js'
import { harmlessSignals, type SignalName } from './signals.js'

/** How a process ended. */
export type ExitStatus = { readonly code: number } | { readonly signal: SignalName }

/** Thrown inside a process that a signal ends. */
export class Killed extends Error {
  readonly signal: SignalName

  constructor(signal: SignalName) {
    super(`killed by SIG${signal}`)
    this.signal = signal
  }
}

/** What a process does about a signal: run a trap, nothing, or what the kernel does. */
export type Disposition = 'caught' | 'ignored' | 'default'

/** What a new process starts from. */
export interface ProcessStart {
  readonly parent?: Process
  readonly pgid?: number
  readonly sid?: number
  readonly uid?: number
  readonly gid?: number
  readonly argv: readonly Bytes[]
  readonly environ?: ReadonlyMap<Bytes, Bytes>
  readonly cwd?: Bytes
  readonly files?: Descriptors
}

/** One process of the emulated guest. */
export class Process implements Viewer {
  readonly pid: number
  ppid: number
  pgid: number
  sid: number
  uid: number
  gid: number
  argv: readonly Bytes[]
  /** The environment it was started with, as /proc/PID/environ shows it. */
  environ: ReadonlyMap<Bytes, Bytes>
  cwd: Bytes
  umask: number
  /** Soft limits by `ulimit` letter, where they were changed. */
  readonly limits = new Map<string, string>()
  readonly files: Descriptors
  /** When it started, ns of uptime. */
  readonly startedNs: bigint
  /** Aborts with {@link Killed} when a signal ends the process. */
  readonly signal: AbortSignal
  /** Resolves when it has ended. */
  readonly ended: Promise<ExitStatus>
  /** Signals that it ignores, inherited by its children. */
  readonly ignored: Set<SignalName>
  /** Asked before the default action. */
  onSignal: ((name: SignalName) => Disposition) | undefined
  status: ExitStatus | undefined
  /** What it goes on by. */
  readonly pulse: Pulse
  readonly #death = new AbortController()
  #settle: (status: ExitStatus) => void = () => {}

  constructor(pid: number, pulse: Pulse, startedNs: bigint, start: ProcessStart) {
    const { parent } = start
    this.pid = pid
    this.pulse = pulse
    this.ppid = parent?.pid ?? 1
    this.pgid = start.pgid ?? parent?.pgid ?? pid
    this.sid = start.sid ?? parent?.sid ?? pid
    this.uid = start.uid ?? parent?.uid ?? 0
    this.gid = start.gid ?? parent?.gid ?? 0
    this.argv = start.argv
    this.environ = start.environ ?? parent?.environ ?? new Map()
    this.cwd = start.cwd ?? parent?.cwd ?? '/'
    this.umask = parent?.umask ?? 0o022
    for (const [letter, value] of parent?.limits ?? []) this.limits.set(letter, value)
    this.ignored = new Set(parent?.ignored)
    this.files = start.files ?? parent?.files.fork() ?? new Descriptors()
    this.startedNs = startedNs
    this.signal = this.#death.signal
    this.ended = new Promise(resolve => {
      this.#settle = resolve
    })
  }

  /** Does what the signal asks: a trap, nothing, or the end. */
  deliver(name: SignalName): void {
    if (this.status) return
    if (name !== 'KILL' && name !== 'STOP') {
      if (this.ignored.has(name)) return
      const disposition = this.onSignal?.(name) ?? 'default'
      if (disposition !== 'default') return
    }
    if (harmlessSignals.has(name)) return
    this.#death.abort(new Killed(name))
  }

  /** Ends it: its descriptors close and whoever waits is told. */
  end(status: ExitStatus): void {
    if (this.status) return
    this.status = status
    this.files.closeAll()
    if (!this.#death.signal.aborted) this.#death.abort(new Killed('KILL'))
    this.#settle(status)
  }

  /** Waits for something else without outliving the process; on a halted guest it does not notice that it is there. */
  whileAlive<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) return reject(this.signal.reason)
      const stop = (): void => reject(this.signal.reason)
      this.signal.addEventListener('abort', stop, { once: true })
      work
        .finally(() => this.pulse.going())
        .then(resolve, reject)
        .finally(() => this.signal.removeEventListener('abort', stop))
    })
  }

  /** Sleeps that long, or until a signal ends the process. */
  sleep(ms: number): Promise<void> {
    let takeBack = (): void => {}
    const slept = new Promise<void>(resolve => {
      takeBack = this.pulse.after(ms, resolve)
    })
    return this.whileAlive(slept).finally(takeBack)
  }
}

/** The processes of one boot. */
export class ProcessTable {
  readonly #processes = new Map<number, Process>()
  readonly #pulse: Pulse
  readonly #uptimeNs: () => bigint
  readonly #maxPid: number
  #next: number

  /** `firstPid` is the first that a login gets: boot has used those below. */
  constructor(pulse: Pulse, uptimeNs: () => bigint, firstPid: number, maxPid: number) {
    this.#pulse = pulse
    this.#uptimeNs = uptimeNs
    this.#next = firstPid
    this.#maxPid = maxPid
  }

  /** How many processes were ever started, for /proc/stat and /proc/loadavg. */
  get lastPid(): number {
    return this.#next - 1
  }

  spawn(start: ProcessStart): Process {
    while (this.#processes.has(this.#next)) this.#next++
    const process = new Process(this.#next, this.#pulse, this.#uptimeNs(), start)
    this.#next = this.#next >= this.#maxPid ? 300 : this.#next + 1
    return this.#add(process)
  }

  /** A process that boot started and that only stands in lists. */
  register(pid: number, ppid: number, start: ProcessStart): Process {
    const process = new Process(pid, this.#pulse, 0n, {
      ...start,
      pgid: start.pgid ?? pid,
      sid: start.sid ?? pid,
    })
    process.ppid = ppid
    process.onSignal = () => 'ignored'
    return this.#add(process)
  }

  #add(process: Process): Process {
    this.#processes.set(process.pid, process)
    void process.ended.then(() => {
      this.#processes.delete(process.pid)
      for (const child of this.#processes.values()) if (child.ppid === process.pid) child.ppid = 1
    })
    return process
  }

  get(pid: number): Process | undefined {
    return this.#processes.get(pid)
  }

  list(): Process[] {
    return [...this.#processes.values()].sort((a, b) => a.pid - b.pid)
  }

  /** Those that `kill(2)` means: a process, or with a negative id its group; -1 is all but the first. */
  targets(id: number): Process[] {
    if (id > 0) return this.list().filter(process => process.pid === id)
    if (id === -1) return this.list().filter(process => process.pid !== 1)
    return this.list().filter(process => process.pgid === -id)
  }
}
