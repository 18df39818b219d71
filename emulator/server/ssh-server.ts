import { connect, createServer, type Socket } from 'node:net'
import ssh2, { type Connection, type Server, type ServerChannel, type Session, type SFTPWrapper } from 'ssh2'
import type { GuestPersona } from '../persona/schema.js'
import type { Authenticator } from './authentication.js'
import type { HostKey } from './host-key.js'

/** What was seen of the clients. */
export interface Counters {
  connections: number
  channels: number
  commands: number
  maxConcurrentChannels: number
}

/** One request to run something. */
export interface Execution {
  readonly user: string
  /** Undefined for a login shell that reads its commands. */
  readonly command: string | undefined
  readonly env: ReadonlyMap<string, string>
  readonly terminal: boolean
  readonly channel: ServerChannel
  /** Signals that the client asks to send. */
  onSignal(listener: (name: string) => void): void
  /** Cuts the whole connection, as a network that fails. */
  cut(): void
}

/** Where a connection to a machine behind the server leads; undefined where nothing is. */
export type Forward = (
  host: string,
  port: number,
) => { readonly host: string; readonly port: number } | undefined

/** What the server is started from. */
export interface ServerRequest {
  readonly host: string
  readonly port: number
  readonly hostKey: HostKey
  readonly ssh: GuestPersona['ssh']
  readonly authenticator: Authenticator
  readonly counters: Counters
  readonly noBanner: boolean
  execute(execution: Execution): void
  /** Serves files; absent where the server has no SFTP. */
  readonly sftp?: (user: string, files: SFTPWrapper) => void
  /** Lets clients through to other machines; absent where sshd does not. */
  readonly forward?: Forward
}

/** A running SSH server of an emulated guest. */
export interface RunningServer {
  /** Cuts every connection and closes the port. */
  close(): Promise<void>
  /** Cuts every connection. */
  cut(): void
  /** Neither reads nor answers until it is resumed; new connections wait. */
  pause(): void
  resume(): void
}

/** Algorithms of OpenSSH before 2005, as far as ssh2 has them. */
export const oldAlgorithms: GuestPersona['ssh']['algorithms'] = {
  kex: ['diffie-hellman-group1-sha1'],
  serverHostKey: ['ssh-rsa'],
  cipher: ['aes128-cbc', '3des-cbc'],
  hmac: ['hmac-sha1', 'hmac-md5'],
  compress: ['none'],
}

/** Listens for SSH. Rejects when the port is taken. */
export function serve(request: ServerRequest): Promise<RunningServer> {
  // By the client's port, so that a connection can be cut as a power failure cuts it.
  const sockets = new Map<number, Socket>()
  const { algorithms, ident } = request.ssh
  let isPaused = false
  const waiting: Socket[] = []
  const ssh: Server = new ssh2.Server(
    {
      hostKeys: [request.hostKey.pem],
      // As OpenSSH without ClientAliveInterval: a guest that stands still would count time that is not its own.
      keepaliveInterval: longestTimerMs,
      ident: ident.replace(/^SSH-2\.0-/, ''),
      // Personas name algorithms as OpenSSH does; ssh2 types them as its own closed lists.
      algorithms: algorithms as NonNullable<ssh2.ServerConfig['algorithms']>,
    },
    (connection, { port }) => accept(connection, request, () => sockets.get(port)?.destroySoon()),
  )
  ssh.on('error', () => {})
  const net = createServer(socket => {
    const port = socket.remotePort ?? 0
    sockets.set(port, socket)
    request.counters.connections++
    socket.setNoDelay(true)
    socket.once('close', () => sockets.delete(port))
    socket.on('error', () => {})
    if (request.noBanner) return
    if (isPaused) waiting.push(socket)
    else ssh.injectSocket(socket)
  })
  const pause = (): void => {
    isPaused = true
    for (const socket of sockets.values()) {
      socket.pause()
      socket.cork()
    }
  }
  const resume = (): void => {
    isPaused = false
    for (const socket of sockets.values()) {
      socket.uncork()
      socket.resume()
    }
    for (const socket of waiting.splice(0)) if (!socket.destroyed) ssh.injectSocket(socket)
  }
  return new Promise((resolve, reject) => {
    net.once('error', reject)
    net.listen(request.port, request.host, () => {
      net.off('error', reject)
      const cut = (): void => {
        for (const socket of sockets.values()) socket.destroy()
      }
      const close = (): Promise<void> =>
        new Promise(closed => {
          net.close(() => closed())
          cut()
        })
      resolve({ close, cut, pause, resume })
    })
  })
}

/** The longest wait that a timer takes: never, for a guest. ssh2 asks its clients every 15 s for nothing less. */
const longestTimerMs = 2_147_483_647

function accept(connection: Connection, request: ServerRequest, cut: () => void): void {
  const { counters } = request
  const maxSessions = request.ssh.maxSessions ?? Number.POSITIVE_INFINITY
  const judge = request.authenticator.connection()
  let user = ''
  let sessions = 0
  connection.on('authentication', context => {
    user = context.username
    judge(context)
  })
  connection.on('error', () => {})
  const { forward } = request
  if (forward) {
    connection.on('tcpip', (agree, refuse, { destIP, destPort }) => {
      const target = forward(destIP, destPort)
      if (!target) return refuse()
      const socket = connect(target.port, target.host)
      socket.once('error', refuse)
      socket.once('connect', () => {
        socket.off('error', refuse)
        const channel = agree()
        channel.on('error', () => {})
        socket.on('error', () => channel.end())
        channel.once('close', () => socket.destroy())
        socket.once('close', () => channel.end())
        socket.pipe(channel).pipe(socket)
      })
    })
  }
  connection.on('session', (agree, refuse) => {
    if (sessions >= maxSessions) return refuse()
    sessions++
    counters.channels++
    counters.maxConcurrentChannels = Math.max(counters.maxConcurrentChannels, sessions)
    const session = agree()
    session.on('end', () => {})
    session.on('close', () => {
      sessions--
    })
    listen(session, request, () => user, cut)
  })
}

function listen(session: Session, request: ServerRequest, user: () => string, cut: () => void): void {
  const env = new Map<string, string>()
  const signals: string[] = []
  let listener: ((name: string) => void) | undefined
  let terminal = false
  session.on('env', (agree, refuse, { key, val }) => {
    const allowed = request.ssh.acceptEnv.some(name =>
      name.endsWith('*') ? key.startsWith(name.slice(0, -1)) : name === key,
    )
    if (!allowed) return refuse?.()
    env.set(key, String(val))
    agree?.()
  })
  session.on('pty', agree => {
    terminal = true
    agree?.()
  })
  session.on('signal', (agree, _refuse, { name }) => {
    agree?.()
    if (listener) listener(name)
    else signals.push(name)
  })
  const run = (channel: ServerChannel, command: string | undefined): void => {
    request.counters.commands++
    channel.on('error', () => {})
    request.execute({
      user: user(),
      command,
      env,
      terminal,
      channel,
      onSignal: it => {
        listener = it
        for (const name of signals.splice(0)) it(name)
      },
      cut,
    })
  }
  session.on('exec', (agree, _refuse, { command }) => run(agree(), command))
  session.on('shell', agree => run(agree(), undefined))
  const { sftp } = request
  if (sftp) session.on('sftp', agree => sftp(user(), agree()))
  session.on('subsystem', (_agree, refuse) => refuse?.())
}
