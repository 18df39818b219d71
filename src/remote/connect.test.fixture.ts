import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { InfraError } from '../config/errors.js'
import { connect } from './connect.js'
import type { Machine } from './machine.js'
import {
  alone,
  keyPair,
  type ServerOptions,
  startServer,
  type TargetChange,
  type TestServer,
} from './server.test.fixture.js'
import type { ConnectOptions } from './target.js'

export const ed25519 = keyPair('ed25519')
export const ecdsa = keyPair('ecdsa')
export const rsa = keyPair('rsa')

/** Connects, closes, and returns what was thrown, if anything was. */
export async function attempt(
  server: Pick<TestServer, 'target'>,
  change: TargetChange = {},
  options: ConnectOptions = {},
): Promise<InfraError | null> {
  let machine: Machine | undefined
  try {
    machine = await connect(server.target(change), { ...alone, ...options })
    return null
  } catch (error) {
    if (!(error instanceof InfraError)) {
      throw error
    }
    return error
  } finally {
    await machine?.close()
  }
}

export async function withServer(
  options: ServerOptions,
  work: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer(options)
  try {
    await work(server)
  } finally {
    await server.close()
  }
}

/** A TCP server that is not an SSH server. */
export async function rawServer(
  answer: string | null,
): Promise<{ server: Server; port: number; close: () => void }> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    if (answer !== null) {
      socket.end(answer)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port, close: () => server.close() }
}
