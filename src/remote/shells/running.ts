import { Readable } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import type { Exit } from '../../journal/events.js'
import type { CommandResult, RunOptions } from '../machine.js'
import { type Collected, collect } from './collect.js'
import { preamble } from './preamble.js'
import type { Wrapped } from './wrap.js'

/** While output still comes the drain limit begins anew, but not longer than this many times its length. */
const mostDrains = 10

/** What is needed to follow a command from its start to its end. */
export interface RunningOptions {
  readonly wrapped: Wrapped
  readonly options: RunOptions
  readonly keepBytes: number
  /** Ms without output after the exit status until the streams count as held by someone else. */
  readonly drainMs: number
  /** Whether the connection is gone: then a closed stream was cut. */
  readonly isLost: () => boolean
}

/** A command that runs on its channel. */
export class RunningCommand {
  /** The pid of the process that leads the command's session, once it has said it. */
  pid: number | null = null
  /** Settles when the command has said all our lines, and so surely runs, or when it has ended. */
  readonly begun: Promise<void>
  /** Settles when there is nothing more to be seen of the command; rejects when a sink or the input failed. */
  readonly ended: Promise<void>
  readonly #channel: ClientChannel
  readonly #stdout: Collected
  readonly #stderr: Collected
  readonly #drainMs: number
  readonly #wrapped: Wrapped
  #end: () => void = () => {}
  #begin: () => void = () => {}
  #fail: (error: unknown) => void = () => {}
  #exit: Exit = { kind: 'lost' }
  #hasExited = false
  #isClosed = false
  #wasStarted = false
  #wasCut = false
  #drainTimer: NodeJS.Timeout | undefined
  #drainUntil = 0

  constructor(channel: ClientChannel, { wrapped, options, keepBytes, drainMs, isLost }: RunningOptions) {
    this.#channel = channel
    this.#drainMs = drainMs
    this.#wrapped = wrapped
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    this.begun = new Promise(resolve => {
      this.#begin = resolve
    })
    // It may settle while nobody waits for it: when the command is being stopped.
    this.ended.catch(() => {})
    const words = wrapped.sudoNonce === null ? [wrapped.nonce] : [wrapped.nonce, wrapped.sudoNonce]
    const common = {
      keepBytes,
      onActivity: (): void => this.#startDrain(),
      onSinkError: (error: unknown): void => this.#fail(error),
    }
    this.#stdout = collect(channel, {
      ...common,
      preamble: preamble(words, (index, rest) => this.#onLine(index, rest)),
      ...(options.onStdout === undefined ? {} : { sink: options.onStdout }),
    })
    this.#stderr = collect(channel.stderr, {
      ...common,
      ...(options.onStderr === undefined ? {} : { sink: options.onStderr }),
    })
    channel.once('exit', (code: number | null, signal?: string) => this.#onExit(code, signal))
    const closed = new Promise<void>(resolve => {
      channel.once('close', () => {
        this.#isClosed = true
        this.#wasCut = isLost()
        this.#begin()
        resolve()
      })
    })
    void Promise.all([closed, this.#stdout.ended, this.#stderr.ended]).then(() => {
      clearTimeout(this.#drainTimer)
      this.#end()
    })
    channel.on('error', () => {})
    this.#write(options.stdin)
  }

  /** True when sudo was asked and has not let the command through. */
  get isHeldBySudo(): boolean {
    return this.#wrapped.sudoNonce !== null && !this.#wasStarted
  }

  /** What is to be said of it now. */
  result(startedAt: number): CommandResult {
    return {
      exit: this.#exit,
      stdout: this.#stdout.output(),
      stderr: this.#stderr.output(),
      durationMs: performance.now() - startedAt,
      undrained: this.#hasExited && (!this.#isClosed || this.#wasCut),
    }
  }

  /** Lets go of the channel. What still runs on the machine is not touched by this. */
  release(): void {
    clearTimeout(this.#drainTimer)
    if (!this.#isClosed) {
      this.#channel.close()
      // ssh2 keeps a paused stream's end back: nobody will read it any more.
      this.#channel.removeAllListeners('data').resume()
      this.#channel.stderr.removeAllListeners('data').resume()
    }
  }

  #onLine(index: number, rest: string): void {
    const pid = Number(rest)
    if (index === 0 && Number.isSafeInteger(pid) && pid > 1) {
      this.pid = pid
    }
    this.#wasStarted = index === 1
    if (index === 1 || this.#wrapped.sudoNonce === null) {
      this.#begin()
    }
  }

  #onExit(code: number | null, signal: string | undefined): void {
    this.#hasExited = true
    this.#begin()
    if (typeof code === 'number') {
      this.#exit = { kind: 'code', code }
    } else if (signal !== undefined) {
      this.#exit = { kind: 'signal', signal }
    }
    this.#drainUntil = performance.now() + mostDrains * this.#drainMs
    this.#startDrain()
  }

  /** Begins the drain limit, or begins it anew. What our own sink takes its time for is not counted. */
  #startDrain(): void {
    if (!this.#hasExited || this.#isClosed) {
      return
    }
    clearTimeout(this.#drainTimer)
    const ms = Math.min(this.#drainMs, Math.max(0, this.#drainUntil - performance.now()))
    this.#drainTimer = setTimeout(() => {
      if (!this.#stdout.isSinkBusy && !this.#stderr.isSinkBusy) {
        this.#end()
      }
    }, ms)
  }

  #write(stdin: RunOptions['stdin']): void {
    const channel = this.#channel
    if (this.#wrapped.stdinPrefix !== null) {
      channel.write(this.#wrapped.stdinPrefix)
    }
    if (stdin === undefined || Buffer.isBuffer(stdin)) {
      channel.end(stdin)
      return
    }
    if (stdin instanceof Readable && stdin.errored !== null) {
      this.#fail(stdin.errored)
    }
    stdin.once('error', error => this.#fail(error))
    stdin.pipe(channel)
    channel.once('close', () => stdin.unpipe(channel))
  }
}
