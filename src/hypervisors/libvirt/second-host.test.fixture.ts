import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { execa } from 'execa'
import type { Host } from '../../config/model.js'
import { fingerprint, makeKey } from '../../remote/openssh.test.fixture.js'
import { daemonsScript } from './daemons.test.fixture.js'
import { libvirtModule } from './module.js'
import { ownFoldersScript } from './namespace.test.fixture.js'

/** Another libvirt host on this machine, in namespaces of its own, behind a real SSH server. */
export interface SecondHost {
  readonly host: Host
  /** Runs virsh there; gives its standard output. */
  virsh(...args: readonly string[]): Promise<string>
  /** Runs a shell command there. */
  shell(command: string): Promise<string>
  close(): Promise<void>
}

/** Of the cable between the two; TEST-NET-1 of RFC 5737. */
export const [firstAddress, secondAddress] = ['192.0.2.1', '192.0.2.2']
const sshPort = 2222
const name = 'gc-second'
const startLimitMs = 30_000

/** What `qemu.conf` of a host says so that the other one's QEMU finds it: there is no name service here. */
export const migrationSettings = (address: string): string[] => [
  `migration_host = "${address}"`,
  `migration_address = "${address}"`,
]

/** Starts it; only in namespaces of the test's own. The first host's root gets a key for it. */
export async function startSecondHost(base: string): Promise<SecondHost> {
  const keys = join(base, 'keys')
  await mkdir(keys, { recursive: true, mode: 0o700 })
  makeKey(join(keys, 'host'), 'ed25519')
  makeKey(join(keys, 'client'), 'ed25519')
  await writeFile(join(keys, 'authorized'), await readFile(join(keys, 'client.pub')))
  await cable()
  const sshd = [
    `ListenAddress ${secondAddress}:${sshPort}`,
    `HostKey ${keys}/host`,
    `AuthorizedKeysFile ${keys}/authorized`,
    'PermitRootLogin yes',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
  ]
  await writeFile(join(keys, 'sshd_config'), `${sshd.join('\n')}\n`)
  const script = [
    ownFoldersScript(join(base, 'second'), join(base, 'shared')),
    `hostname ${name}`,
    // libvirt refuses to move a guest to the host that it is on.
    `echo 'host_uuid = "5e0c9f0a-6a2e-4c43-9a3e-0d1f2b3c4d5e"' >>/etc/libvirt/libvirtd.conf`,
    `/usr/sbin/sshd -D -e -f ${keys}/sshd_config &`,
    daemonsScript(migrationSettings(secondAddress)),
  ].join('\n')
  const namespaces = ['--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc']
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      '--',
      'ip',
      'netns',
      'exec',
      name,
      'unshare',
      ...namespaces,
      '--',
      '/bin/sh',
      '-c',
      script,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  await trust(keys)
  const uri = `qemu+ssh://root@${secondAddress}:${sshPort}/system?no_tty=1`
  const virsh = async (...args: readonly string[]): Promise<string> =>
    (await execa('virsh', ['-c', uri, ...args], { env: { LC_ALL: 'C' }, timeout: startLimitMs })).stdout
  await untilAnswers(child, () => virsh('version'))
  return {
    virsh,
    shell: async command =>
      (await execa('ssh', ['-p', String(sshPort), `root@${secondAddress}`, command])).stdout,
    host: {
      id: 'kvm-2',
      place: { file: '/lab.yaml', line: 1, column: 1 },
      product: 'debian-kvm',
      version: '12',
      driver: libvirtModule,
      connect: {
        endpoint: { host: secondAddress, port: sshPort, jumps: [] },
        login: {
          user: 'root',
          key: { kind: 'file', path: join(keys, 'client') },
          algorithms: 'modern',
          hostKey: { kind: 'pinned', fingerprint: fingerprint(join(keys, 'host')) },
        },
      },
      capacity: { guests: 1, vcpus: 1, memoryBytes: 2 ** 30, locks: [] },
    },
    close: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function cable(): Promise<void> {
  const [here, there] = ['gc-first', 'gc-second']
  const commands = [
    `netns add ${name}`,
    `link add ${here} type veth peer name ${there} netns ${name}`,
    `address add ${firstAddress}/30 dev ${here}`,
    `link set ${here} up`,
    `-n ${name} address add ${secondAddress}/30 dev ${there}`,
    `-n ${name} link set ${there} up`,
  ]
  for (const command of commands) {
    await execa('ip', command.split(' '))
  }
}

/** What a lab engineer does on the first host: root there logs in to the second one without being asked. */
async function trust(keys: string): Promise<void> {
  const [type = '', key = ''] = (await readFile(join(keys, 'host.pub'), 'utf8')).split(' ')
  await appendFile('/root/.ssh/known_hosts', `[${secondAddress}]:${sshPort} ${type} ${key}\n`)
  const config = [`Host ${secondAddress}`, `  IdentityFile ${keys}/client`, '  IdentitiesOnly yes', '']
  await writeFile('/root/.ssh/config', config.join('\n'), { mode: 0o600 })
}

async function untilAnswers(child: ChildProcess, ask: () => Promise<string>): Promise<void> {
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000)
  })
  let failure: unknown = null
  for (
    const until = performance.now() + startLimitMs;
    performance.now() < until && child.exitCode === null;
  ) {
    try {
      await ask()
      return
    } catch (error) {
      failure = error
    }
    for await (const _ of setInterval(300)) {
      break
    }
  }
  throw new Error(`the second host did not start: ${String(failure)}\n${said}`)
}
