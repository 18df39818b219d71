import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import pLimit from 'p-limit'
import type { Client } from 'ssh2'
import { InfraError } from '../config/errors.js'
import type { Limits } from '../config/limits.js'
import { inTime } from '../deadline/deadline.js'
import { unlessAborted } from '../deadline/signals.js'
import { fingerprintOf } from './host-keys/fingerprint.js'
import { LentMachine, type SharedMachine } from './lent.js'
import type { CommandResult, Machine, RunOptions } from './machine.js'
import { needsOneChannel } from './server-faults.js'
import type { Session } from './session.js'
import { lostError, type PosixHost } from './shells/host.js'
import { ChannelPlaces, RefusedChannel } from './shells/places.js'
import { runPosix } from './shells/posix.js'
import { checkMark } from './shells/sweep.js'
import type { WrapSettings } from './shells/wrap.js'
import { watchSilence } from './silence.js'
import type { Stillness } from './stillness.js'
import { messageOf, peerText, type Scrub } from './trouble.js'

/** Places for stopping commands, beside those for running them: together below OpenSSH's `MaxSessions` of 10. */
const stopPlaces = 2
/** How long the other side may take to agree that a connection ends. */
const closeLimitMs = 2_000

/** What a machine is made of. */
export interface SshMachineParts {
  readonly session: Session
  readonly label: string
  readonly limits: Limits
  /** Marks commands, see {@link markOf}; each gets a number behind it. */
  readonly mark: string
  readonly channels: number
  readonly sudo: WrapSettings['sudo']
  readonly scrub: Scrub
  readonly stillness: Stillness
  /** Makes another connection to the same machine, in the same way. */
  readonly another: () => Promise<SshMachine>
  /** Machines that were connected to on the way, and end with this one; farthest first. */
  readonly jumps: readonly Machine[]
}

/** The mark of one connection's commands: no two connections have the same. Throws InternalError for one that cannot be. */
export function markOf(mark: string): string {
  return `${checkMark(mark)}/${randomBytes(4).toString('hex')}`
}

/** A machine over one SSH connection. */
export class SshMachine implements SharedMachine {
  readonly label: string
  readonly hostKey: string
  readonly lost: AbortSignal
  readonly #client: Client
  readonly #parts: SshMachineParts
  readonly #lost = new AbortController()
  /** The connection that commands run on, for shells of other kinds. */
  readonly host: PosixHost
  readonly #places: ChannelPlaces
  #commands = 0
  #isLent = false
  #isClosing = false
  #isGone = false

  constructor(parts: SshMachineParts) {
    const { session, label, limits, channels, scrub, sudo, stillness } = parts
    const client = session.client
    const inStopPlace = pLimit(stopPlaces)
    this.#parts = parts
    this.#client = client
    this.label = label
    this.hostKey = fingerprintOf(session.hostKey)
    this.lost = this.#lost.signal
    const isSingle = needsOneChannel(session.software)
    this.#places = new ChannelPlaces({
      channels: isSingle ? 1 : channels,
      limitMs: limits.channel,
      lost: this.#lost.signal,
    })
    this.host = {
      client,
      where: label,
      limits,
      lost: this.#lost.signal,
      scrub,
      sudo,
      isSingle,
      stillness,
      lose: reason => this.#loseFor(reason),
      inStopPlace: work => inStopPlace(work),
      another: async () => {
        const other = await parts.another()
        return { client: other.host.client, close: () => other.close() }
      },
    }
    client.on('error', error => this.#loseTo(peerText(messageOf(error))))
    client.on('end', () => this.#loseTo('the other side closed it'))
    client.on('close', () => {
      this.#isGone = true
      this.#loseTo('it was closed')
    })
    watchSilence({
      stream: session.stream,
      intervalMs: limits.keepalive,
      stillness,
      onSilent: why => this.#loseTo(why),
    })
    const early = session.early()
    if (early !== null) {
      this.#loseTo(early)
    }
  }

  get channels(): number {
    return this.#places.atOnce
  }

  run(command: string, options: RunOptions = {}): Promise<CommandResult> {
    return this.#runAs(this.#parts.mark, command, options)
  }

  lend(mark: string): Machine | null {
    if (this.#isLent || this.lost.aborted) {
      return null
    }
    this.#isLent = true
    const own = markOf(mark)
    return new LentMachine({
      owner: this,
      run: (command, options = {}) => this.#runAs(own, command, options),
      onReturn: () => {
        this.#isLent = false
      },
    })
  }

  async runBeside(command: string, options: RunOptions): Promise<CommandResult> {
    if (!this.#isLent) {
      return this.run(command, options)
    }
    if (!this.host.isSingle) {
      try {
        return await runPosix(this.host, command, options, this.#nextMark(this.#parts.mark))
      } catch (error) {
        if (!(error instanceof RefusedChannel)) {
          throw error
        }
      }
    }
    const other = await unlessAborted(this.#parts.another(), options.signal, late => void late.close())
    try {
      return await other.run(command, options)
    } finally {
      await other.close()
    }
  }

  #runAs(mark: string, command: string, options: RunOptions): Promise<CommandResult> {
    if (options.stdin !== undefined && !Buffer.isBuffer(options.stdin)) {
      // An input may fail while the command waits for its turn; it is looked at when that comes.
      options.stdin.on('error', () => {})
    }
    return this.#places.run(() => runPosix(this.host, command, options, this.#nextMark(mark)), options.signal)
  }

  #nextMark(mark: string): string {
    this.#commands += 1
    return `${mark}-${this.#commands}`
  }

  forward(host: string, port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const refuse = (error: unknown): void => reject(noWayOn(this.#parts, `${host}:${port}`, error))
      if (this.lost.aborted) {
        reject(lostError(this.host))
        return
      }
      try {
        this.#client.forwardOut('127.0.0.1', 0, host, port, (error, stream) => {
          if (error === undefined || error === null) {
            resolve(stream)
          } else {
            refuse(error)
          }
        })
      } catch (error) {
        refuse(error)
      }
    })
  }

  /** Ends the connection, and those it led through. Commands that still run are lost. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (!this.#isGone) {
      await this.#end()
    }
    for (const jump of this.#parts.jumps) {
      await jump.close()
    }
  }

  async #end(): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.#client.once('close', resolve)
    })
    this.#client.end()
    await inTime(closed, closeLimitMs)
    this.#parts.session.stream.destroy()
  }

  #loseTo(why: string): void {
    const { label, scrub } = this.#parts
    const what = this.#isClosing ? 'the connection was closed here' : `the connection was lost: ${why}`
    this.#loseFor(
      new InfraError(scrub(`${label}: ${what}`), { cause: 'network', where: label, code: 'lost' }),
    )
  }

  #loseFor(reason: InfraError): void {
    if (!this.#lost.signal.aborted) {
      this.#lost.abort(reason)
    }
    this.#parts.session.stream.destroy()
    void Promise.all(this.#parts.jumps.map(jump => jump.close()))
  }
}

/** RFC 4254, 5.1: why a server opens no channel. */
const isForbidden = 1
const cannotConnect = 2

function noWayOn({ label, scrub }: SshMachineParts, to: string, error: unknown): InfraError {
  const reason: unknown = error instanceof Error && 'reason' in error ? error.reason : null
  const said = peerText(messageOf(error)).replace(/^\(SSH\) Channel open failure:\s*/, '')
  const meaning =
    reason === isForbidden
      ? 'it forwards no TCP connections'
      : reason === cannotConnect
        ? 'refused or out of reach'
        : 'no channel'
  const what = `${label}: no way on to ${to}: ${meaning}${said === '' ? '' : ` (${said})`}`
  const cause = reason === isForbidden ? 'unknown' : 'network'
  return new InfraError(scrub(what), { cause, where: label, code: 'connect' })
}
