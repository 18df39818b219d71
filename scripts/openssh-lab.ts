import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { execa } from 'execa'

/**
 * Runs a local OpenSSH server for `fixtures/labs/openssh.yaml`, on a loopback port, with keys of its own in
 * `.openssh-lab/`. It runs until it is interrupted. Needs Debian's `openssh-server`, and root.
 */
const port = 22822
const address = '127.0.0.1'
const folder = resolve('.openssh-lab')
const server = '/usr/sbin/sshd'

if (!existsSync(server)) {
  process.stderr.write("there is no OpenSSH server: install Debian's package openssh-server\n")
  process.exit(2)
}
await mkdir(folder, { recursive: true })
await chmod(folder, 0o700)
await mkdir('/run/sshd', { recursive: true })
for (const name of ['host_key', 'client_key']) {
  if (!existsSync(join(folder, name))) {
    await execa('ssh-keygen', [
      '-q',
      '-t',
      'ed25519',
      '-N',
      '',
      '-C',
      'openssh-lab',
      '-f',
      join(folder, name),
    ])
  }
}
const hostKey = (await readFile(join(folder, 'host_key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ')
await writeFile(join(folder, 'known_hosts'), `[${address}]:${port} ${hostKey}\n`)
await writeFile(join(folder, 'authorized_keys'), await readFile(join(folder, 'client_key.pub')), {
  mode: 0o600,
})
const configuration = [
  `ListenAddress ${address}:${port}`,
  `HostKey ${folder}/host_key`,
  `AuthorizedKeysFile ${folder}/authorized_keys`,
  'PermitRootLogin prohibit-password',
  'PasswordAuthentication no',
  'UsePAM no',
  'StrictModes no',
  'PidFile none',
]
await writeFile(join(folder, 'sshd_config'), `${configuration.join('\n')}\n`)
const sshd = spawn(server, ['-D', '-e', '-f', join(folder, 'sshd_config')], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => sshd.kill('SIGTERM'))
}
sshd.on('exit', code => {
  process.exitCode = code === null || code === 0 ? 0 : 1
})
process.stdout.write(`an OpenSSH server listens on ${address}:${port}\n`)
