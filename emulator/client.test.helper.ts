import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2'
import { type EmulatedGuest, startEmulatedGuest } from './guest.js'
import { personaFolder } from './harness.test.helper.js'
import type { EmulatedGuestSpec } from './spec.js'

/** Every wait of these tests ends here, in ms. */
export const waitLimitMs = 120_000

/** What a client may use to reach guests of any age. */
const everyAge: NonNullable<ConnectConfig['algorithms']> = {
  kex: [
    'curve25519-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group14-sha1',
    'diffie-hellman-group1-sha1',
  ],
  serverHostKey: ['ssh-ed25519', 'ssh-rsa'],
  cipher: ['aes128-ctr', 'aes256-ctr', 'aes128-cbc', '3des-cbc'],
  hmac: ['hmac-sha2-256', 'hmac-sha1', 'hmac-md5'],
}

/** The key that lets root in. RSA, since the oldest guests know nothing newer. */
export const clientKey = ssh2.utils.generateKeyPairSync('rsa', { bits: 1024 })

/** Starts a small guest that lets root in by its key, and by `secret` where the product takes passwords. */
export function startGuest(persona: string, more: Partial<EmulatedGuestSpec> = {}): Promise<EmulatedGuest> {
  return startEmulatedGuest({
    name: 'guest',
    persona,
    personaFolders: [personaFolder],
    platform: 'rhel-9-kvm',
    hardware: { vcpus: 2, memoryBytes: 2 ** 30, disk: 'virtio-blk', nic: 'virtio-net' },
    users: [{ name: 'root', password: 'secret', authorizedKeys: [clientKey.public] }],
    ...more,
  })
}

/** What became of one command; `closed` tells whether the connection went with it. */
export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null | undefined
  readonly signal: string | undefined
  readonly closed: boolean
}

/** A command that runs. What it prints and how it ends is kept from its first byte. */
export class Running {
  readonly channel: ClientChannel
  readonly ended: Promise<Ran>
  stdout = ''
  stderr = ''
  /** The exit code, the signal, or undefined as long as neither came. */
  exit: number | string | null | undefined

  constructor(channel: ClientChannel, connection: ssh2.Client) {
    this.channel = channel
    let code: Ran['code']
    let signal: string | undefined
    channel.on('data', (data: Buffer) => {
      this.stdout += data.toString('latin1')
    })
    channel.stderr.on('data', (data: Buffer) => {
      this.stderr += data.toString('latin1')
    })
    channel.on('exit', (status: number | null, name?: string) => {
      code = status
      signal = name
      this.exit = name ?? status
    })
    this.ended = new Promise(resolve => {
      const end = (closed: boolean): void => {
        connection.off('close', lose)
        resolve({ stdout: this.stdout, stderr: this.stderr, code, signal, closed })
      }
      const lose = (): void => end(true)
      connection.once('close', lose)
      // A cut connection closes its channels first.
      channel.on('close', () => setImmediate(() => end(false)))
    })
  }

  /** The first line that it prints. */
  async firstLine(): Promise<string> {
    await eventually('a line', () => this.stdout.includes('\n'))
    return this.stdout.split('\n')[0] ?? ''
  }
}

/** A connection to a guest. */
export class Client {
  readonly ssh: ssh2.Client
  /** `SHA256:…` of the key that the guest proved. */
  readonly hostKey: string
  readonly lost: Promise<void>

  constructor(ssh: ssh2.Client, hostKey: string) {
    this.ssh = ssh
    this.hostKey = hostKey
    this.lost = new Promise(resolve => ssh.once('close', () => resolve()))
    ssh.on('error', () => {})
    ssh.setMaxListeners(100)
  }

  start(command: string, stdin?: Buffer): Promise<Running> {
    return new Promise((resolve, reject) => {
      this.ssh.exec(command, (error, channel) => {
        if (error) return reject(error)
        // Here, and not later: the exit may stand in the very packet that is being read.
        const running = new Running(channel, this.ssh)
        channel.end(stdin)
        resolve(running)
      })
    })
  }

  async run(command: string, stdin?: Buffer): Promise<Ran> {
    return (await this.start(command, stdin)).ended
  }

  end(): void {
    this.ssh.end()
  }
}

/** Connects once; rejects as ssh2 does. */
export function tryConnect(guest: EmulatedGuest, more: Partial<ConnectConfig> = {}): Promise<Client> {
  return new Promise((resolve, reject) => {
    const ssh = new ssh2.Client()
    let hostKey = ''
    ssh.once('ready', () => {
      ssh.setNoDelay(true)
      resolve(new Client(ssh, hostKey))
    })
    ssh.on('error', reject)
    ssh.connect({
      host: guest.host,
      port: guest.port,
      username: 'root',
      privateKey: clientKey.private,
      algorithms: everyAge,
      readyTimeout: waitLimitMs,
      hostHash: 'sha256',
      hostVerifier: (key: string) => {
        hostKey = `SHA256:${Buffer.from(key, 'hex').toString('base64').replace(/=+$/, '')}`
        return true
      },
      ...more,
    })
  })
}

/** Connects as soon as the port opens. */
export async function connect(guest: EmulatedGuest, more: Partial<ConnectConfig> = {}): Promise<Client> {
  const until = performance.now() + waitLimitMs
  for (;;) {
    try {
      return await tryConnect(guest, more)
    } catch (error) {
      const refused = error instanceof Error && /ECONNREFUSED|ECONNRESET/.test(error.message)
      if (!refused || performance.now() > until) throw error
      await new Promise(resolve => setTimeout(resolve, 25))
    }
  }
}

/** Connects to a machine behind another one, inside its connection. */
export function connectThrough(
  jump: Client,
  guest: EmulatedGuest,
  address: string,
  username = 'root',
): Promise<Client> {
  return new Promise((resolve, reject) => {
    jump.ssh.forwardOut('127.0.0.1', 1, address, 22, (error, sock) => {
      if (error) reject(error)
      else tryConnect(guest, { sock, username }).then(resolve, reject)
    })
  })
}

/** Waits until something holds, looking often. Throws when it never does. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const until = performance.now() + waitLimitMs
  while (!holds()) {
    if (performance.now() > until) throw new Error(`${what}: not in ${waitLimitMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
