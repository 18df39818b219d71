/** Needs Debian's openssh-server and openssh-client, and root. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { Login } from '../config/model.js'
import { connect } from './connect.js'
import type { Machine } from './machine.js'
import { fingerprint, makeKey, needProgram, startOpenSsh } from './openssh.test.fixture.js'

t.setTimeout(300_000)
needProgram('/usr/bin/ssh-keygen', 'openssh-client')
needProgram('/usr/bin/ssh-agent', 'openssh-client')
const ssh = await startOpenSsh([], ['ed25519', 'ecdsa', 'rsa'])
const alone = { sshConfigPath: null, environment: {}, home: ssh.folder } as const
t.teardown(() => ssh.close())

async function using(work: (machine: Machine) => Promise<void>, login: Partial<Login> = {}): Promise<void> {
  const machine = await connect(ssh.target({ login: ssh.login(login) }), alone)
  try {
    await work(machine)
  } finally {
    await machine.close()
  }
}

t.test('host keys', async t => {
  const knownHosts = join(ssh.folder, 'known')
  const line = (type: string): string =>
    `[127.0.0.1]:${ssh.port} ${readFileSync(join(ssh.folder, `host_${type}.pub`), 'utf8')}`

  t.test('a pin of any type', async t => {
    for (const [type, pin] of Object.entries(ssh.hostKeys)) {
      await using(
        async machine => {
          t.equal(machine.hostKey, pin, type)
        },
        { hostKey: { kind: 'pinned', fingerprint: pin } },
      )
    }
  })

  t.test('a file that ssh-keygen hashed', async t => {
    writeFileSync(knownHosts, `# a comment\n${line('rsa')}${line('ed25519')}`)
    execFileSync('ssh-keygen', ['-H', '-f', knownHosts], { stdio: 'ignore' })
    t.match(readFileSync(knownHosts, 'utf8'), /^\|1\|/m)
    t.notMatch(readFileSync(knownHosts, 'utf8'), '127.0.0.1')
    await using(
      async machine => {
        t.equal(machine.hostKey, ssh.hostKeys.ed25519)
      },
      { hostKey: { kind: 'known-hosts', path: knownHosts } },
    )
  })

  t.test('a key that is revoked, and one that changed', async t => {
    const hostKey = { kind: 'known-hosts', path: knownHosts } as const
    writeFileSync(knownHosts, line('ecdsa'))
    appendFileSync(knownHosts, `@revoked * ${line('ecdsa').split(' ').slice(1).join(' ')}`)
    await t.rejects(
      using(async () => {}, { hostKey }),
      { name: 'InfraError', message: /revokes/ },
    )
    const other = join(t.testdir(), 'other')
    makeKey(other, 'ed25519')
    writeFileSync(knownHosts, `[127.0.0.1]:${ssh.port} ${readFileSync(`${other}.pub`, 'utf8')}`)
    await t.rejects(
      using(async () => {}, { hostKey }),
      {
        name: 'InfraError',
        message: new RegExp(`known ${fingerprint(other).replaceAll('+', '\\+')}`),
      },
    )
  })
})

t.test('keys of every form, and the agent', async t => {
  const folder = t.testdir()
  const make = (name: string, ...options: string[]): string => {
    const path = join(folder, name)
    execFileSync('ssh-keygen', ['-q', '-C', 'test', '-f', path, ...options])
    appendFileSync(join(ssh.folder, 'authorized_keys'), readFileSync(`${path}.pub`))
    return path
  }
  const forms: readonly [string, string[]][] = [
    ['ed25519, encrypted', ['-t', 'ed25519', '-N', 'the passphrase', '-a', '4']],
    ['rsa', ['-t', 'rsa', '-N', '']],
    ['rsa as PEM, encrypted', ['-t', 'rsa', '-m', 'PEM', '-N', 'the passphrase']],
    ['ecdsa as PEM', ['-t', 'ecdsa', '-m', 'PEM', '-N', '']],
  ]
  for (const [what, options] of forms) {
    const path = make(what.replaceAll(/\W/g, '-'), ...options)
    const machine = await connect(
      ssh.target({
        login: ssh.login({ key: { kind: 'file', path }, passphrase: { kind: 'env', name: 'PASSPHRASE' } }),
      }),
      { ...alone, environment: { PASSPHRASE: 'the passphrase' } },
    )
    t.equal((await machine.run('echo in')).stdout.text, 'in\n', what)
    await machine.close()
  }

  // Not below the test's own folder: a socket's path is at most 107 characters long.
  const socket = join(ssh.folder, 'agent')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  const until = performance.now() + 5000
  while (!existsSync(socket) && performance.now() < until) {
    await pause(20)
  }
  for (const type of ['rsa', 'ed25519']) {
    const path = make(`agent-${type}`, '-t', type, '-N', '')
    execFileSync('ssh-add', ['-q', path], { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' })
    const machine = await connect(ssh.target({ login: ssh.login({ key: { kind: 'agent' } }) }), {
      ...alone,
      environment: { SSH_AUTH_SOCK: socket },
    })
    t.equal((await machine.run('echo in')).stdout.text, 'in\n', `${type} in the agent`)
    await machine.close()
    execFileSync('ssh-add', ['-q', '-D'], { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' })
  }
  await t.rejects(
    connect(ssh.target({ login: ssh.login({ key: { kind: 'agent' } }) }), {
      ...alone,
      environment: { SSH_AUTH_SOCK: socket },
    }),
    { name: 'InfraError', message: /refused the log-in: tried keys of the agent/ },
  )
  const ended = once(agent, 'exit')
  agent.kill()
  await ended
  await t.rejects(
    connect(ssh.target({ login: ssh.login({ key: { kind: 'agent' } }) }), {
      ...alone,
      environment: { SSH_AUTH_SOCK: socket },
    }),
    { name: 'InfraError', message: /Failed to connect to agent/ },
  )
})

t.test('old servers', async t => {
  const old: readonly [string, readonly string[], readonly string[]][] = [
    [
      'Red Hat Enterprise Linux 5',
      [
        'KexAlgorithms diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,diffie-hellman-group1-sha1',
        'HostKeyAlgorithms ssh-rsa',
        'PubkeyAcceptedAlgorithms +ssh-rsa',
        'Ciphers aes128-cbc,3des-cbc,aes256-cbc',
        'MACs hmac-sha1',
      ],
      ['rsa'],
    ],
    ['group exchange with SHA-1 alone', ['KexAlgorithms diffie-hellman-group-exchange-sha1'], ['ed25519']],
    ['3DES alone', ['Ciphers 3des-cbc', 'MACs hmac-sha1'], ['ed25519']],
    ['a DSA host key', ['HostKeyAlgorithms ssh-dss'], ['dsa']],
  ]
  for (const [what, lines, keyTypes] of old) {
    const server = await startOpenSsh(lines, keyTypes)
    await t.rejects(
      connect(server.target(), alone),
      { name: 'InfraError', message: /algorithms: legacy/ },
      what,
    )
    const machine = await connect(server.target({ login: server.login({ algorithms: 'legacy' }) }), alone)
    t.equal((await machine.run('echo old')).stdout.text, 'old\n', what)
    t.equal(machine.hostKey, Object.values(server.hostKeys)[0])
    await machine.close()
    await server.close()
  }
})

t.test('through a jump host', async t => {
  const bastion = await startOpenSsh()
  const config = join(bastion.folder, 'config')
  writeFileSync(
    config,
    [
      'Host bastion',
      '  HostName 127.0.0.1',
      `  Port ${bastion.port}`,
      `  IdentityFile ${bastion.keyPath}`,
      `  UserKnownHostsFile ${join(bastion.folder, 'known')}`,
      '',
    ].join('\n'),
  )
  writeFileSync(
    join(bastion.folder, 'known'),
    `[127.0.0.1]:${bastion.port} ${readFileSync(join(bastion.folder, 'host_ed25519.pub'), 'utf8')}`,
  )
  const endpoint = { host: '127.0.0.1', port: ssh.port, jumps: ['root@bastion'] }
  const machine = await connect(ssh.target({ endpoint }), { ...alone, sshConfigPath: config })
  t.match((await machine.run('echo $SSH_CONNECTION')).stdout.text, `127.0.0.1 ${ssh.port}\n`)
  await machine.close()
  await bastion.close()
  const closed = await startOpenSsh(['AllowTcpForwarding no'])
  const via = await connect(closed.target({ label: 'host-1' }), alone)
  await t.rejects(connect(ssh.target({ via }), alone), {
    name: 'InfraError',
    message: /guest-1: host-1: no way on to .*: it forwards no TCP connections/,
    context: { code: 'connect', cause: 'unknown' },
  })
  await via.close()
  await closed.close()
})
