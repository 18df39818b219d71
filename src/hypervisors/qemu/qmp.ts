import type { Socket } from 'node:net'
import { InfraError } from '../../config/errors.js'
import { bounded, type Limit } from '../limit.js'
import { exchange } from '../shared/exchanges.js'
import { createLineCutter, parseQmpLine, type QmpEvent, type QmpMessage } from './qmp-message.js'

interface Pending {
  readonly settle: (message: QmpMessage) => void
  readonly fail: () => void
}

/** QEMU refused a command. */
export class QmpRefusal extends Error {
  override readonly name = 'QmpRefusal'
}

/** One connection to a QEMU's machine protocol: commands out, answers and events in. */
export class QmpClient {
  /** Aborts when the connection has ended: QEMU is gone or no longer speaks. */
  readonly closed: AbortSignal
  readonly #socket: Socket
  readonly #where: string
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Set<(event: QmpEvent) => void>()
  #greeted: (version: string) => void = () => {}
  #lastId = 0

  private constructor(socket: Socket, where: string) {
    this.#socket = socket
    this.#where = where
    const closed = new AbortController()
    this.closed = closed.signal
    const cut = createLineCutter()
    socket.on('data', chunk => {
      try {
        for (const line of cut(chunk)) {
          this.#receive(parseQmpLine(line))
        }
      } catch {
        socket.destroy()
      }
    })
    // What went wrong shows as the end of the connection.
    socket.on('error', () => {})
    socket.on('close', () => {
      closed.abort()
      for (const { fail } of this.#pending.values()) {
        fail()
      }
    })
  }

  /** Waits for QEMU's greeting on a new connection and enters command mode. */
  static async open(
    socket: Socket,
    where: string,
    limit: Limit,
    signal: AbortSignal,
  ): Promise<{ client: QmpClient; version: string }> {
    const client = new QmpClient(socket, where)
    try {
      const greeting = new Promise<string>((resolve, reject) => {
        client.#greeted = resolve
        socket.once('close', () => reject(client.#gone('its greeting came')))
      })
      const version = await bounded(greeting, where, 'the QMP greeting', limit, signal)
      await client.execute('qmp_capabilities', {}, limit, signal)
      return { client, version }
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  /** Sends a command and gives its answer. Throws QmpRefusal when QEMU refuses, InfraError when it is gone. */
  execute(
    command: string,
    args: Readonly<Record<string, unknown>>,
    limit: Limit,
    signal: AbortSignal,
  ): Promise<unknown> {
    return exchange(
      () => `${command} ${JSON.stringify(args)}`,
      () => this.#send(command, args, limit, signal),
      {
        refused: why => {
          throw new QmpRefusal(`QEMU refused ${command}: ${why}`)
        },
        show: answer => ({ status: 'return', answer: JSON.stringify(answer) ?? '' }),
      },
    )
  }

  async #send(
    command: string,
    args: Readonly<Record<string, unknown>>,
    limit: Limit,
    signal: AbortSignal,
  ): Promise<unknown> {
    const id = ++this.#lastId
    const answer = new Promise<QmpMessage>((settle, reject) => {
      const fail = (): void => reject(this.#gone(`it answered ${command}`))
      if (this.closed.aborted) {
        fail()
        return
      }
      this.#pending.set(id, { settle, fail })
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    })
    try {
      const message = await bounded(answer, this.#where, `the answer to ${command}`, limit, signal)
      if (message.kind === 'error') {
        throw new QmpRefusal(`QEMU refused ${command}: ${message.description}`)
      }
      return message.kind === 'return' ? message.value : null
    } finally {
      this.#pending.delete(id)
    }
  }

  /** Every event from now on; the answer ends it. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The connection alone keeps no runner alive. */
  unref(): void {
    this.#socket.unref()
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(message: QmpMessage | null): void {
    switch (message?.kind) {
      case 'greeting':
        this.#greeted(message.version)
        return
      case 'event':
        for (const listener of this.#listeners) {
          listener(message.event)
        }
        return
      case 'return':
      case 'error':
        if (message.id !== null) {
          this.#pending.get(message.id)?.settle(message)
        }
        return
      default:
    }
  }

  #gone(before: string): InfraError {
    const message = `${this.#where}: QEMU ended before ${before}`
    return new InfraError(message, { cause: 'host', where: this.#where, code: 'lost' })
  }
}
