import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import ssh2, { type Connection, type ServerChannel } from 'ssh2'

/** What an answer is made of. */
export interface Asked {
  readonly command: string
  readonly channel: ServerChannel
  readonly connection: Connection
  /** The nonce of the command's first line, and the word of its last one. */
  readonly nonce: string
  readonly last: string
  /** What a server says of an end, as often and in whatever order it likes. */
  readonly tell: { status(code: number): void; signal(name: string): void }
  /** Whatever the case wants to remember from one command to the next. */
  readonly memory: Map<string, string>
}

/** How a server misbehaves, towards which commands. */
export interface Misbehaviour {
  readonly towards: RegExp
  readonly answer: (asked: Asked) => void
  /** Learns from commands that are carried out, before they are answered. */
  readonly learn?: (asked: Asked) => void
}

/** A server that carries commands out in this machine's shell, but for those that a misbehaviour is towards. */
export interface MisbehavingServer {
  readonly port: number
  /** How often the misbehaviour happened: zero means that a test has tested nothing. */
  fired(): number
  close(): Promise<void>
}

/** Its key is made for one test; guests are told to accept it. */
export async function startMisbehaving(
  misbehaviour: Misbehaviour,
  hostKey: string,
): Promise<MisbehavingServer> {
  const memory = new Map<string, string>()
  const connections = new Set<Connection>()
  let fired = 0
  const server = new ssh2.Server({ hostKeys: [hostKey] }, connection => {
    connections.add(connection)
    connection.on('close', () => connections.delete(connection))
    connection.on('error', () => {})
    connection.on('authentication', context => context.accept())
    connection.on('session', accept => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec()
        channel.on('error', () => {})
        const asked = askedOf(command, channel, connection, memory)
        if (misbehaviour.towards.test(command)) {
          fired += 1
          misbehaviour.answer(asked)
        } else {
          misbehaviour.learn?.(asked)
          carryOut(asked)
        }
      })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    fired: () => fired,
    close: async () => {
      for (const connection of connections) {
        connection.end()
      }
      server.close()
      await once(server, 'close')
    },
  }
}

/** What ssh2 has for servers and does not declare: its protocol, and the number of a channel. */
interface Protocol {
  exitStatus(id: number, code: number): void
  exitSignal(id: number, name: string, core: boolean, message: string): void
}

function askedOf(
  command: string,
  channel: ServerChannel,
  connection: Connection,
  memory: Map<string, string>,
): Asked {
  const { _protocol: protocol } = connection as unknown as { _protocol: Protocol }
  const { outgoing } = channel as unknown as { outgoing: { id: number } }
  return {
    command,
    channel,
    connection,
    memory,
    nonce: /gc[0-9a-f]{16}/.exec(command)?.[0] ?? 'none',
    last: /gc[0-9a-f]{16}e[0-9a-f]{16}/.exec(command)?.[0] ?? 'none',
    tell: {
      status: code => protocol.exitStatus(outgoing.id, code),
      signal: name => protocol.exitSignal(outgoing.id, name, false, ''),
    },
  }
}

/** As sshd does: output as it comes, the status once, the end when all output has ended. */
export function carryOut({ command, channel }: Asked, onOutput?: (chunk: Buffer) => void): void {
  const child = spawn('/bin/sh', ['-c', command], {
    detached: true,
    env: { HOME: '/tmp', USER: 'tester', PATH: process.env.PATH ?? '' },
  })
  channel.pipe(child.stdin)
  child.stdin.on('error', () => {})
  child.stdout.on('data', (chunk: Buffer) => {
    onOutput?.(chunk)
    channel.write(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => channel.stderr.write(chunk))
  child.on('close', (code, signal) => {
    if (code !== null) {
      channel.exit(code)
    } else {
      channel.exit((signal ?? 'SIGKILL').replace('SIG', ''), false, '')
    }
    channel.end()
  })
}
