import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { startDaemons } from '../src/hypervisors/libvirt/daemons.test.fixture.js'
import { defineDebianVm } from '../src/hypervisors/libvirt/debian.test.fixture.js'
import { defaultCacheFolder } from '../src/hypervisors/shared/cache.js'
import { buildImage } from '../src/lab/images/build.js'
import { loadRecipe } from '../src/lab/images/recipe.js'

/**
 * Runs the host of `fixtures/labs/libvirt-debian.yaml`: libvirt's daemons, an OpenSSH server on a loopback port,
 * and a Debian VM with a snapshot, with keys of their own in `.libvirt-lab/`. It runs until it is interrupted, and
 * takes all of it away. Needs root, and Debian's `libvirt-daemon-system`, `libvirt-clients`, `openssh-server` and
 * what `guestcert lab build` needs.
 */
const [sshPort, guestPort] = [22823, 22824]
const address = '127.0.0.1'
const folder = resolve('.libvirt-lab')
const server = '/usr/sbin/sshd'
const interrupted = new AbortController()
const say = (text: string): void => void process.stdout.write(`${text}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => interrupted.abort())
}

if (!existsSync(server)) {
  process.stderr.write("there is no OpenSSH server: install Debian's package openssh-server\n")
  process.exit(2)
}
await mkdir(folder, { recursive: true })
await chmod(folder, 0o700)
await mkdir('/run/sshd', { recursive: true })
for (const name of ['host_key', 'client_key']) {
  const file = join(folder, name)
  if (!existsSync(file)) {
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'libvirt-lab', '-f', file])
  }
}
const image = await buildImage(await loadRecipe('debian'), {
  cacheFolder: defaultCacheFolder(),
  signal: interrupted.signal,
  onProgress: say,
})
await copyFile(image.keyPath, join(folder, 'guest_key'))
await chmod(join(folder, 'guest_key'), 0o600)
await copyFile(join(folder, 'client_key.pub'), join(folder, 'authorized_keys'))
await writeFile(join(folder, 'known_hosts'), `${await knownHosts()}\n`)
const configuration = [
  `ListenAddress ${address}:${sshPort}`,
  `HostKey ${folder}/host_key`,
  `AuthorizedKeysFile ${folder}/authorized_keys`,
  'PermitRootLogin prohibit-password',
  'PasswordAuthentication no',
  'UsePAM no',
  'StrictModes no',
  'PidFile none',
]
await writeFile(join(folder, 'sshd_config'), `${configuration.join('\n')}\n`)

const undo: (() => Promise<void>)[] = []
try {
  say("starting libvirt's daemons")
  const daemons = await startDaemons()
  undo.push(() => daemons.close())
  say('making the VM guestcert-debian')
  const vm = await defineDebianVm({
    name: 'guestcert-debian',
    image,
    folder: '/var/lib/libvirt/images/guestcert-lab',
    port: guestPort,
  })
  undo.push(() => vm.remove())
  await vm.seal('sealed')
  const sshd = spawn(server, ['-D', '-e', '-f', join(folder, 'sshd_config')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = once(sshd, 'exit')
  undo.push(async () => {
    sshd.kill('SIGTERM')
    await ended
  })
  say(`a libvirt host listens on ${address}:${sshPort}`)
  await Promise.race([ended, once(interrupted.signal, 'abort')])
} catch (error) {
  if (!interrupted.signal.aborted) {
    throw error
  }
} finally {
  for (const step of undo.reverse()) {
    await step()
  }
}

/** The host's key under the host's port, the image's under the guest's. */
async function knownHosts(): Promise<string> {
  const ports = [
    [sshPort, join(folder, 'host_key.pub')],
    [guestPort, image.knownHosts],
  ] as const
  const lines = ports.map(async ([port, file]) => {
    const words = (await readFile(file, 'utf8')).trim().split(/\s+/)
    const type = words.findIndex(word => word.startsWith('ssh-'))
    return `[${address}]:${port} ${words.slice(type, type + 2).join(' ')}`
  })
  return (await Promise.all(lines)).join('\n')
}
