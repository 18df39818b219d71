import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net'
import ssh2, { type AuthContext, type Connection, type ServerChannel, type ServerConfig } from 'ssh2'
import { defaultLimits, type Limits } from '../config/limits.js'
import type { Login } from '../config/model.js'
import { fingerprintOf } from './host-keys/fingerprint.js'
import type { ConnectTarget } from './target.js'

/** What the server does with a command. */
export type Answer = (command: string, channel: ServerChannel, connection: Connection) => void

/** How a server of a test behaves. */
export interface ServerOptions {
  readonly exec?: Answer
  /** Decides about each try to log in; all are let in if absent. */
  readonly authenticate?: (context: AuthContext) => void
  /** Key pairs by type; one ed25519 key if absent. */
  readonly hostKeys?: readonly string[]
  readonly algorithms?: ServerConfig['algorithms']
  /** What the server calls itself: its program and version. */
  readonly ident?: string
  /** What is said before anybody may log in. */
  readonly banner?: string
  readonly onConnection?: (connection: Connection) => void
  /** Refuses to open channels. */
  readonly refusesChannels?: boolean
  /** Channels at once on one connection, as `MaxSessions` of OpenSSH has it. */
  readonly mostChannels?: number
  /** Ms until the first command is accepted, and from then until it starts: a guest under load is slow. */
  readonly acceptMs?: number
  readonly startMs?: number
  /** Lets clients open TCP streams onward. */
  readonly forwards?: boolean
}

/** An SSH server on loopback. */
export interface TestServer {
  readonly port: number
  readonly fingerprints: readonly string[]
  readonly commands: string[]
  /** Connections that were ever made, and those that logged in. */
  readonly counts: { connections: number; logins: number }
  target(change?: TargetChange): ConnectTarget
  /** Cuts all connections, as a power loss does. */
  cut(): void
  close(): Promise<void>
}

export type TargetChange = Partial<Omit<ConnectTarget, 'limits' | 'login'>> & {
  limits?: Partial<Limits>
  login?: Partial<Login>
}

export const password = 'S3cret-of-the-test'

/**
 * A pair in the form of OpenSSH, made by ssh2 itself, which now and then makes one that it cannot
 * read: those are thrown away.
 */
export function keyPair(type: KeyType, passphrase?: string): { private: string; public: string } {
  for (;;) {
    const pair = makePair(type, passphrase)
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) {
      return pair
    }
  }
}

type KeyType = 'ed25519' | 'ecdsa' | 'rsa'

function makePair(type: KeyType, passphrase?: string): { private: string; public: string } {
  const comment = 'test'
  const lock = passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 1 }
  const { generateKeyPairSync } = ssh2.utils
  return type === 'ed25519'
    ? generateKeyPairSync('ed25519', { comment, ...lock })
    : type === 'ecdsa'
      ? generateKeyPairSync('ecdsa', { bits: 256, comment, ...lock })
      : generateKeyPairSync('rsa', { bits: 2048, comment, ...lock })
}

export function fingerprintOfPair(pair: string): string {
  const key = ssh2.utils.parseKey(pair)
  const parsed = Array.isArray(key) ? key[0] : key
  return fingerprintOf(parsed.getPublicSSH())
}

/** Makes the numbers of `sleep` and `yes` this test process's own: two of them may run at once. */
export function unique(command: string): string {
  return command.replace(/(leep|yes) (?=\d{2})/g, `$1 ${process.pid % 10_000}`)
}

/** What was started and may still run: sshd leaves it alone, tests must not. */
const groups = new Set<number>()

function endGroups(): void {
  for (const group of groups) {
    try {
      process.kill(-group, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  groups.clear()
}

/** Runs commands with the machine's own shell, in a session of their own as sshd does. */
export function realShell(shell: readonly string[] = ['/bin/sh'], env: Record<string, string> = {}): Answer {
  return (command, channel) => {
    const [program = '/bin/sh', ...first] = shell
    const child = spawn(program, [...first, '-c', command], {
      detached: true,
      env: { HOME: '/tmp', USER: 'tester', PATH: process.env.PATH ?? '', ...env },
    })
    if (child.pid !== undefined) {
      groups.add(child.pid)
    }
    channel.pipe(child.stdin)
    child.stdin.on('error', () => {})
    channel.on('close', () => child.stdin.destroy())
    child.stdout.pipe(channel, { end: false })
    child.stderr.pipe(channel.stderr, { end: false })
    child.on('exit', (code, signal) => {
      if (code !== null) {
        channel.exit(code)
      } else {
        channel.exit((signal ?? 'SIGKILL').replace('SIG', ''), false, '')
      }
    })
    child.on('close', () => channel.close())
  }
}

/** Answers as a machine does that carries commands out: with our lines around what is given, and their status. */
export function scripted(
  act: (channel: ServerChannel, connection: Connection, command: string) => void,
): Answer {
  return (command, channel, connection) => {
    const { begin, end } = framesIn(command)
    channel.write(begin)
    const exit = channel.exit.bind(channel) as (...args: unknown[]) => void
    channel.exit = (...args: unknown[]): void => {
      if (typeof args[0] === 'number') {
        channel.write(end(args[0]))
      }
      exit(...args)
    }
    act(channel, connection, command)
  }
}

/** The lines that a shell would print around the output of a command. */
export function framesIn(command: string): { begin: string; end: (status: number) => string } {
  const sudo = /echo (gc[0-9a-f]{16}s);/.exec(command)?.[1]
  const last = /gc[0-9a-f]{16}e[0-9a-f]{16}/.exec(command)?.[0] ?? 'none'
  return {
    begin: `${nonceIn(command)} 4242424\n${sudo === undefined ? '' : `${sudo}\n`}`,
    end: status => `${last} ${status}\n`,
  }
}

/** The status that a first command must end with; 0 for every other command. */
export function firstStatusIn(command: string): number {
  return Number(/\|\|exit;exit (\d+)/.exec(command)?.[1] ?? 0)
}

/** The word that the wrapper prints before its pid. */
export function nonceIn(command: string): string {
  return /gc[0-9a-f]{16}/.exec(command)?.[0] ?? 'none'
}

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const hostKeys = options.hostKeys ?? [defaultHostKey]
  const open = new Set<Connection>()
  const commands: string[] = []
  const counts = { connections: 0, logins: 0 }
  const server = new ssh2.Server(
    {
      hostKeys: [...hostKeys],
      ...(options.algorithms === undefined ? {} : { algorithms: options.algorithms }),
      ...(options.ident === undefined ? {} : { ident: options.ident }),
      ...(options.banner === undefined ? {} : { banner: options.banner }),
    },
    connection => {
      counts.connections += 1
      open.add(connection)
      connection.on('close', () => open.delete(connection))
      connection.on('error', () => {})
      connection.on('authentication', context =>
        options.authenticate === undefined ? context.accept() : options.authenticate(context),
      )
      connection.on('ready', () => {
        counts.logins += 1
        let channels = 0
        connection.on('session', (accept, reject) => {
          if (options.refusesChannels === true || channels >= (options.mostChannels ?? Infinity)) {
            reject()
            return
          }
          channels += 1
          const session = accept()
          session.on('close', () => {
            channels -= 1
          })
          session.on('pty', acceptPty => acceptPty())
          session.on('shell', acceptShell => realShell()('exec /bin/sh', acceptShell(), connection))
          session.on('exec', (acceptExec, _reject, { command }) => {
            commands.push(command)
            const { acceptMs = 0, startMs = 0, exec = realShell() } = options
            const isFirst = commands.length === 1
            after(isFirst ? acceptMs : 0, () => {
              const channel = acceptExec()
              channel.on('error', () => {})
              after(isFirst ? startMs : 0, () => exec(command, channel, connection))
            })
          })
        })
        connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
          if (options.forwards !== true) {
            reject()
            return
          }
          const onward = connectSocket(destPort, destIP)
          onward.once('connect', () => {
            const channel = accept()
            channel.on('error', () => {})
            channel.pipe(onward).pipe(channel)
            channel.on('close', () => onward.destroy())
          })
          onward.on('error', () => reject())
        })
      })
      options.onConnection?.(connection)
    },
  )
  // ssh2 hides its sockets: ours lie before them, so that they can be cut.
  const sockets = new Set<Socket>()
  const front = createServer({ noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    server.injectSocket(socket)
  }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  const { port } = front.address() as AddressInfo
  const fingerprints = hostKeys.map(fingerprintOfPair)
  const cut = (): void => {
    for (const socket of sockets) {
      socket.resetAndDestroy()
    }
  }
  return {
    port,
    fingerprints,
    commands,
    counts,
    cut,
    target: change => targetAt(port, fingerprints[0] ?? '', change),
    close: async () => {
      cut()
      endGroups()
      front.close()
      await once(front, 'close')
    },
  }
}

function after(ms: number, act: () => void): void {
  if (ms === 0) {
    act()
  } else {
    setTimeout(act, ms).unref()
  }
}

const defaultHostKey = keyPair('ed25519').private

export function targetAt(
  port: number,
  fingerprint: string,
  { limits, login, ...change }: TargetChange = {},
): ConnectTarget {
  return {
    endpoint: { host: '127.0.0.1', port, jumps: [] },
    label: 'guest-1',
    signal: new AbortController().signal,
    ...change,
    login: {
      user: 'root',
      password: { kind: 'env', name: 'TEST_PASSWORD' },
      algorithms: 'modern',
      hostKey: { kind: 'pinned', fingerprint },
      ...login,
    },
    limits: { ...defaultLimits, ...limits },
  }
}

/** Options that keep tests away from the user's own files. */
export const alone = {
  sshConfigPath: null,
  environment: { TEST_PASSWORD: password },
  home: '/nonexistent',
} as const
