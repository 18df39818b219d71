import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import { endMark, MarkedOutput } from './marked-output.js'
import { type Frame, FrameReader, type FromHost, frameDescriptor, type Reply, type Start } from './wire.js'
import type { WireError } from './wire-error.js'

/** How a module's thread ended. */
export type ThreadEnd =
  | { readonly kind: 'thread'; readonly code: number; readonly error: WireError | null }
  | { readonly kind: 'memory'; readonly bytes: number }
  | { readonly kind: 'died'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'unstarted'; readonly message: string }
  /** What came was no frame, or the last one never came. */
  | { readonly kind: 'garbled'; readonly message: string }

/** What is told of an attempt while it runs. */
export interface AttemptListener {
  frame(frame: Frame): void
  /** Written past the thread's own streams: by programs that it started, or by Node itself. */
  output(stream: 'stdout' | 'stderr', bytes: Buffer): void
  debuggerAt(url: string): void
}

/** An attempt that runs in a host process. */
export interface RunningAttempt {
  readonly ended: Promise<ThreadEnd>
  reply(reply: Reply): void
  /** Asks the process to end the thread; one that stands in a system call does not end by that. */
  terminate(): void
}

const highestToken = 2 ** 32 - 1
/** What has been written before a process died is still to be read. */
const drainMs = 2_000

interface Current {
  readonly token: number
  readonly reader: FrameReader
  readonly listener: AttemptListener
  readonly output: Readonly<Record<Stream, MarkedOutput>>
  /** Output whose end has not come. */
  readonly open: Set<Stream>
  /** How the thread ended, until all that was written during the attempt has come. */
  ending: ThreadEnd | null
  readonly end: (end: ThreadEnd) => void
}

type Stream = 'stdout' | 'stderr'

/** One process for test modules. It serves attempts one after the other, and ends with the runner. */
export class HostProcess {
  readonly #child: ChildProcess
  #current: Current | null = null
  #death: ThreadEnd | null = null

  constructor() {
    const isCompiled = import.meta.url.endsWith('.js')
    const program = fileURLToPath(new URL(`host/main.${isCompiled ? 'js' : 'ts'}`, import.meta.url))
    const isWindows = process.platform === 'win32'
    this.#child = spawn(process.execPath, [...(isCompiled ? [] : process.execArgv), program], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      serialization: 'advanced',
      // An interrupt at the terminal is for the runner, which decides what becomes of a test.
      detached: !isWindows,
      // What was preloaded into the runner would be loaded into every thread.
      env: { ...process.env, NODE_OPTIONS: isCompiled ? '' : process.env.NODE_OPTIONS },
    })
    this.#child.on('message', message => this.#heard(message as FromHost))
    this.#child.on('error', error => this.#die({ kind: 'unstarted', message: error.message }))
    this.#child.on('exit', (code, signal) => this.#exited(code, signal))
    const frames = this.#stream(frameDescriptor)
    frames?.on('data', (chunk: Buffer) => this.#read(chunk))
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#child[stream]?.on('data', (chunk: Buffer) => this.#printed(stream, chunk))
      this.#child[stream]?.on('error', () => {})
    }
    frames?.on('error', () => {})
    this.#child.unref()
    this.#child.channel?.unref()
    for (const descriptor of [1, 2, frameDescriptor]) {
      ;(this.#stream(descriptor) as { unref?: () => void } | null)?.unref?.()
    }
  }

  /** False once it has ended, or can serve no more. */
  get isUsable(): boolean {
    return this.#death === null && this.#child.connected
  }

  /** Begins an attempt; there is none other in it. */
  run(start: Omit<Start, 'token'>, memoryBytes: number, listener: AttemptListener): RunningAttempt {
    const token = randomInt(highestToken)
    const ended = new Promise<ThreadEnd>(resolve => {
      const end = (how: ThreadEnd): void => {
        if (this.#current?.token === token) this.#current = null
        resolve(how)
      }
      const marked = (stream: Stream): MarkedOutput =>
        new MarkedOutput(endMark(token), bytes => listener.output(stream, bytes))
      this.#current = {
        token,
        reader: new FrameReader(token),
        listener,
        output: { stdout: marked('stdout'), stderr: marked('stderr') },
        open: new Set<Stream>(['stdout', 'stderr']),
        ending: null,
        end,
      }
    })
    const payload = serialize({ ...start, token } satisfies Start)
    this.#send({ kind: 'start', token, payload, memoryBytes, inspect: start.inspect })
    if (this.#death !== null) this.#current?.end(this.#death)
    return {
      ended,
      reply: reply => this.#send({ kind: 'reply', token, payload: serialize(reply) }),
      terminate: () => this.#send({ kind: 'terminate', token }),
    }
  }

  /** Ends it, and all that its modules started, at once. */
  kill(): void {
    const { pid } = this.#child
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return
    }
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
    } catch {
      this.#child.kill('SIGKILL')
    }
  }

  #send(message: Parameters<ChildProcess['send']>[0]): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  #stream(descriptor: number): Readable | null {
    return (this.#child.stdio[descriptor] as Readable | null | undefined) ?? null
  }

  #read(chunk: Buffer): void {
    const { reader, listener, end } = this.#current ?? {}
    if (reader === undefined) {
      return
    }
    try {
      for (const frame of reader.push(chunk)) {
        if (frame.kind !== 'thread-ended') {
          listener?.frame(frame)
        } else if (frame.error?.name === 'MemoryLimit') {
          end?.({ kind: 'memory', bytes: Number(frame.error.message) })
        } else {
          this.#threadEnded({ kind: 'thread', code: frame.code, error: frame.error })
        }
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error))
    }
  }

  #printed(stream: Stream, chunk: Buffer): void {
    const current = this.#current
    if (current?.output[stream].push(chunk)) {
      current.open.delete(stream)
      if (current.ending !== null && current.open.size === 0) current.end(current.ending)
    }
  }

  #threadEnded(how: ThreadEnd): void {
    const current = this.#current
    if (current === null || current.open.size === 0) {
      current?.end(how)
      return
    }
    current.ending = how
    setTimeout(() => current.end(how), drainMs).unref()
  }

  #heard(message: FromHost): void {
    if (message.kind === 'debugger') {
      this.#current?.listener.debuggerAt(message.url)
    } else if (message.kind === 'ended') {
      const { token } = message
      setTimeout(() => {
        if (this.#current?.token === token && this.#current.ending === null)
          this.#fail('its last words were not received')
      }, drainMs).unref()
    }
  }

  /** It does not do as it should: nothing more is run in it. */
  #fail(message: string): void {
    this.#die({ kind: 'garbled', message })
    this.kill()
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    const death = { kind: 'died', code, signal } as const
    const frames = this.#stream(frameDescriptor)
    if (frames === null || frames.closed) {
      this.#die(death)
      return
    }
    const timer = setTimeout(() => this.#die(death), drainMs)
    frames.once('close', () => {
      clearTimeout(timer)
      this.#die(death)
    })
  }

  #die(death: ThreadEnd): void {
    this.#death ??= death
    this.#current?.end(this.#death)
  }
}
