import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectSocket, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { defaultLimits, type Limits } from '../config/limits.js'
import type { Login } from '../config/model.js'
import type { ConnectTarget } from './index.js'

/** A real OpenSSH server on loopback, with keys and a folder of its own. */
export interface OpenSsh {
  readonly folder: string
  readonly port: number
  readonly keyPath: string
  /** `SHA256:…` of the host key of each type. */
  readonly hostKeys: Readonly<Record<string, string>>
  target(change?: Partial<Omit<ConnectTarget, 'limits'>> & { limits?: Partial<Limits> }): ConnectTarget
  login(change?: Partial<Login>): Login
  close(): Promise<void>
}

const sshdPath = '/usr/sbin/sshd'
const startLimitMs = 60_000

/** Throws naming the Debian package when a program is missing. */
export function needProgram(path: string, debianPackage: string): void {
  try {
    execFileSync('test', ['-x', path])
  } catch {
    throw new Error(`${path} is missing: install the Debian package ${debianPackage}`)
  }
}

/** Starts sshd with the given lines added to its configuration. Needs root, to read `/etc/shadow`. */
export async function startOpenSsh(
  lines: readonly string[] = [],
  keyTypes: readonly string[] = ['ed25519'],
): Promise<OpenSsh> {
  needProgram(sshdPath, 'openssh-server')
  const folder = mkdtempSync(join(tmpdir(), 'gc-sshd-'))
  mkdirSync('/run/sshd', { recursive: true })
  const hostKeys: Record<string, string> = {}
  for (const type of keyTypes) {
    const path = join(folder, `host_${type}`)
    makeKey(path, type)
    hostKeys[type] = fingerprint(path)
  }
  const keyPath = join(folder, 'client')
  makeKey(keyPath, 'ed25519')
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${keyPath}.pub`))
  const port = await freePort()
  const config = join(folder, 'sshd_config')
  writeFileSync(
    config,
    [
      ...lines,
      `ListenAddress 127.0.0.1:${port}`,
      ...keyTypes.map(type => `HostKey ${join(folder, `host_${type}`)}`),
      `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
      'PermitRootLogin yes',
      'StrictModes no',
      'UsePAM no',
      'MaxStartups 100',
      'PidFile none',
      '',
    ].join('\n'),
  )
  const server = spawn(sshdPath, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  const endWithUs = (): void => void server.kill('SIGTERM')
  process.once('exit', endWithUs)
  await answering(port, server)
  const login = (change: Partial<Login> = {}): Login => ({
    user: userInfo().username,
    key: { kind: 'file', path: keyPath },
    algorithms: 'modern',
    hostKey: { kind: 'pinned', fingerprint: Object.values(hostKeys)[0] ?? '' },
    ...change,
  })
  return {
    folder,
    port,
    keyPath,
    hostKeys,
    login,
    target: ({ limits, ...change } = {}) => ({
      endpoint: { host: '127.0.0.1', port, jumps: [] },
      login: login(),
      label: 'guest-1',
      signal: new AbortController().signal,
      ...change,
      limits: { ...defaultLimits, ...limits },
    }),
    close: async () => {
      const ended = once(server, 'exit')
      server.kill('SIGTERM')
      await ended
      process.off('exit', endWithUs)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function makeKey(path: string, type: string, passphrase = ''): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path])
}

export function fingerprint(path: string): string {
  return execFileSync('ssh-keygen', ['-l', '-f', `${path}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? ''
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function answering(port: number, server: ChildProcess): Promise<void> {
  let said = ''
  server.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000)
  })
  const until = performance.now() + startLimitMs
  while (performance.now() < until && server.exitCode === null) {
    const socket = connectSocket(port, '127.0.0.1')
    const isUp = await Promise.race([
      once(socket, 'data').then(
        () => true,
        () => false,
      ),
      pause(500, false),
    ])
    socket.destroy()
    if (isUp) {
      return
    }
    await pause(20)
  }
  throw new Error(`sshd did not start: ${said}`)
}
