import { Readable } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import type { Exit } from '../../journal/events.js'
import type { CommandResult, RunOptions } from '../machine.js'
import type { Stillness } from '../stillness.js'
import { followEnds } from './channel.js'
import { type Collected, collect } from './collect.js'
import { type ChannelEnd, endingOf } from './ending.js'
import { type Frame, frame } from './frame.js'
import type { Wrapped } from './wrap.js'

/** While output still comes the drain limit begins anew, but not longer than this many times its length. */
const mostDrains = 10

/** What is needed to follow a command from its start to its end. */
export interface RunningOptions {
  readonly wrapped: Wrapped
  /** Whether the channel may have only the lowest 8 bits of the status that our last line has. */
  readonly isWide?: boolean
  readonly options: RunOptions
  readonly keepBytes: number
  /** Ms without output after the exit status until the streams count as held by someone else. */
  readonly drainMs: number
  /** While the machine is held still that limit comes no nearer. */
  readonly stillness: Stillness
  /** Whether the connection is gone: then a closed stream was cut. */
  readonly isLost: () => boolean
}

/**
 * What was seen of a command. Without proof that it began there is no result: what came then is the text of somebody
 * else, and its status too.
 */
export type Sighting =
  | { readonly begun: true; readonly result: CommandResult }
  | {
      readonly begun: false
      /** `sudo` when only sudo has kept it from beginning. */
      readonly at: 'login' | 'sudo'
      /** How what came in its place ended, on the SSH server's word. */
      readonly exit: Exit
      readonly printed: string
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
  readonly #stillness: Stillness
  readonly #wrapped: Wrapped
  readonly #frame: Frame
  readonly #isWide: boolean
  readonly #ends: ChannelEnd[] = []
  #end: () => void = () => {}
  #begin: () => void = () => {}
  #fail: (error: unknown) => void = () => {}
  #isClosed = false
  #wasCut = false
  #endDrain: () => void = () => {}
  #drainUntil = 0

  constructor(
    channel: ClientChannel,
    { wrapped, options, keepBytes, drainMs, stillness, isLost, isWide = false }: RunningOptions,
  ) {
    this.#channel = channel
    this.#drainMs = drainMs
    this.#stillness = stillness
    this.#wrapped = wrapped
    this.#isWide = isWide
    this.#frame = frame(wrapped.words, (index, pid) => this.#onBegin(index, pid))
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    this.begun = new Promise(resolve => {
      this.#begin = resolve
    })
    // It may settle while nobody waits for it: when the command is being stopped.
    this.ended.catch(() => {})
    const common = {
      keepBytes,
      onActivity: (): void => this.#startDrain(),
      onSinkError: (error: unknown): void => this.#fail(error),
    }
    this.#stdout = collect(channel, {
      ...common,
      frame: this.#frame,
      ...(options.onStdout === undefined ? {} : { sink: options.onStdout }),
    })
    this.#stderr = collect(channel.stderr, {
      ...common,
      ...(options.onStderr === undefined ? {} : { sink: options.onStderr }),
    })
    followEnds(channel, end => this.#onEnd(end))
    const closed = new Promise<void>(resolve => {
      channel.once('close', () => {
        this.#isClosed = true
        this.#wasCut = isLost()
        this.#begin()
        resolve()
      })
    })
    void Promise.all([closed, this.#stdout.ended, this.#stderr.ended]).then(() => {
      this.#endDrain()
      this.#end()
    })
    channel.on('error', () => {})
    this.#write(options.stdin)
  }

  /** How it ended on the SSH server's word, which proves nothing. */
  get told(): Exit {
    const [end = { kind: 'lost' }] = this.#ends
    return end
  }

  /** What is to be said of it now. */
  sighting(startedAt: number): Sighting {
    const { begun, status, doubt, noise } = this.#frame.seen()
    const stderr = this.#stderr.output()
    if (begun < this.#wrapped.words.begins.length) {
      return {
        begun: false,
        at: begun === 0 ? 'login' : 'sudo',
        exit: this.told,
        printed: `${noise} ${stderr.text}`.trim(),
      }
    }
    const result = {
      exit: endingOf({ ends: this.#ends, status, doubt, isWide: this.#isWide }),
      stdout: this.#stdout.output(),
      stderr,
      durationMs: performance.now() - startedAt,
      undrained: this.#hasExited && (!this.#isClosed || this.#wasCut),
    }
    return { begun: true, result }
  }

  /** Lets go of the channel. What still runs on the machine is not touched by this. */
  release(): void {
    this.#endDrain()
    if (!this.#isClosed) {
      this.#channel.close()
      // ssh2 keeps a paused stream's end back: nobody will read it any more.
      this.#channel.removeAllListeners('data').resume()
      this.#channel.stderr.removeAllListeners('data').resume()
    }
  }

  get #hasExited(): boolean {
    return this.#ends.length > 0
  }

  #onBegin(index: number, pid: number | null): void {
    if (pid !== null && pid > 1) {
      this.pid = pid
    }
    if (index === this.#wrapped.words.begins.length - 1) {
      this.#begin()
    }
  }

  #onEnd(end: ChannelEnd): void {
    const isFirst = !this.#hasExited
    this.#ends.push(end)
    this.#begin()
    if (isFirst) {
      this.#drainUntil = performance.now() + mostDrains * this.#drainMs
    }
    this.#startDrain()
  }

  /** Begins the drain limit, or begins it anew. What our own sink takes its time for is not counted. */
  #startDrain(): void {
    if (!this.#hasExited || this.#isClosed) {
      return
    }
    this.#endDrain()
    const ms = Math.min(this.#drainMs, Math.max(0, this.#drainUntil - performance.now()))
    this.#endDrain = this.#stillness.after(ms, () => {
      if (!this.#stdout.isSinkBusy && !this.#stderr.isSinkBusy) {
        this.#end()
      }
    })
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
