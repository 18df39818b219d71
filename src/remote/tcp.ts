import { connect as connectSocket, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { InfraError } from '../config/errors.js'
import { type Deadline, withDeadline } from '../deadline/deadline.js'
import { onAbort } from '../deadline/signals.js'
import type { Machine } from './machine.js'
import type { Stillness } from './stillness.js'
import { cancelled, messageOf, refuseCancelled } from './trouble.js'

/** Where a TCP stream is to lead, and how long that may take. */
export interface TcpRequest {
  readonly host: string
  readonly port: number
  readonly where: string
  readonly limitMs: number
  readonly stillness: Stillness
  readonly signal: AbortSignal
  /** Opens the stream inside this machine's connection. */
  readonly via?: Machine
}

/** Opens a TCP stream. Throws InfraError (`connect`). */
export async function openTcp(request: TcpRequest): Promise<Duplex> {
  refuseCancelled(request.signal, request.where, 'connecting')
  return request.via === undefined ? openDirectly(request) : openInside(request.via, request)
}

function openDirectly(request: TcpRequest): Promise<Socket> {
  const { host, port, where } = request
  return withDeadline(deadlineOf(request), signal => {
    return new Promise((resolve, reject) => {
      const socket = connectSocket({ host, port, noDelay: true })
      const ignore = onAbort(signal, () => settle(signal.reason))
      const settle = (error?: unknown): void => {
        ignore()
        socket.removeAllListeners()
        // An error between two owners must not end the process: the next owner sees it as a close.
        socket.on('error', () => {})
        if (error === undefined) {
          resolve(socket)
        } else {
          socket.destroy()
          reject(error)
        }
      }
      socket.once('connect', () => settle())
      socket.once('error', error => settle(refused(where, `${host}:${port}`, error)))
    })
  })
}

function openInside(via: Machine, request: TcpRequest): Promise<Duplex> {
  const { host, port, where } = request
  const open = (): Promise<Duplex> =>
    via.forward(host, port).catch((error: unknown) => {
      throw passedOn(error, where)
    })
  // A stream that still opens is of no use to anyone.
  return withDeadline(deadlineOf(request), open, stream => stream.destroy())
}

function deadlineOf({ host, port, where, limitMs, stillness, signal }: TcpRequest): Deadline {
  const stop = (): Error => cancelled(where, 'connecting')
  const error = (): Error => tooSlow(where, host, port, limitMs)
  return { name: 'tcp', ms: limitMs, where, clock: stillness, error, signal, cancelled: stop }
}

/** What the machine in between says, in the name of the one behind it. */
function passedOn(error: unknown, where: string): InfraError {
  const cause = error instanceof InfraError ? error.context.cause : 'network'
  return new InfraError(`${where}: ${messageOf(error)}`, { cause, where, code: 'connect' })
}

function refused(where: string, address: string, error: unknown): InfraError {
  return new InfraError(`${where}: no connection to ${address}: ${messageOf(error) || 'refused'}`, {
    cause: 'network',
    where,
    code: 'connect',
  })
}

function tooSlow(where: string, host: string, port: number, limitMs: number): InfraError {
  return new InfraError(`${where}: ${host}:${port} did not answer within the limit "tcp" of ${limitMs} ms`, {
    cause: 'network',
    where,
    code: 'connect',
    limit: 'tcp',
  })
}
