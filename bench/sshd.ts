import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { execa } from 'execa'
import { cpuSecOf } from './processes.js'

/** OpenSSH listens on no more addresses than this in one process. */
const addressesPerServer = 16
const startLimitMs = 10_000
const pollMs = 50

/** Real OpenSSH servers on many loopback addresses, and a user of their own to log in as. */
export interface Servers {
  readonly addresses: readonly string[]
  readonly port: number
  readonly user: string
  readonly keyPath: string
  readonly hostKey: string
  readonly folder: string
  /** What the servers, and the commands that they ran, have used so far. */
  cpuSec(): number
  close(): Promise<void>
}

/** Starts servers on 127.0.1.1 … for a throwaway user whose shell is `/bin/sh`. Needs root. */
export async function startServers(count: number, port: number): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'guestcert-bench-'))
  await chmod(folder, 0o755)
  const user = `gcbench${process.pid}`
  await execa('useradd', ['-M', '-d', folder, '-s', '/bin/sh', '-p', '*', user])
  await mkdir('/run/sshd', { recursive: true })
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'host_key')])
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'client_key')])
  await writeFile(join(folder, 'authorized_keys'), await readFile(join(folder, 'client_key.pub')))
  const addresses = Array.from({ length: count }, (_, index) => `127.0.1.${index + 1}`)
  const servers: ChildProcess[] = []
  for (let first = 0; first < count; first += addressesPerServer) {
    const config = join(folder, `sshd_config_${first}`)
    await writeFile(config, configuration(folder, addresses.slice(first, first + addressesPerServer), port))
    servers.push(
      spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'ignore'] }),
    )
  }
  await Promise.all(addresses.map(address => answering(address, port)))
  const { stdout } = await execa('ssh-keygen', ['-lf', join(folder, 'host_key.pub')])
  return {
    addresses,
    port,
    user,
    keyPath: join(folder, 'client_key'),
    hostKey: stdout.split(' ')[1] ?? '',
    folder,
    cpuSec: () => servers.reduce((sum, { pid = 0 }) => sum + cpuSecOf(pid), 0),
    close: async () => {
      for (const server of servers) {
        const ended = once(server, 'exit')
        server.kill('SIGTERM')
        await ended
      }
      await execa('userdel', ['-f', user], { reject: false })
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function configuration(folder: string, addresses: readonly string[], port: number): string {
  return [
    ...addresses.map(address => `ListenAddress ${address}:${port}`),
    `HostKey ${folder}/host_key`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    'PasswordAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'MaxStartups 200',
    'PidFile none',
    'LogLevel ERROR',
    '',
  ].join('\n')
}

async function answering(address: string, port: number): Promise<void> {
  const until = performance.now() + startLimitMs
  for (;;) {
    const socket = connect(port, address)
    const answered = await Promise.race([
      once(socket, 'data').then(
        () => true,
        () => false,
      ),
      once(socket, 'error').then(
        () => false,
        () => false,
      ),
    ])
    socket.destroy()
    if (answered) {
      return
    }
    if (performance.now() > until) {
      throw new Error(`no SSH server answers on ${address}:${port}`)
    }
    await wait(pollMs)
  }
}
