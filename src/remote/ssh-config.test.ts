import { join } from 'node:path'
import t from 'tap'
import type { Login } from '../config/model.js'
import { hopsTo, parseJump } from './hops.js'
import { readSshConfig } from './ssh-config.js'

const home = t.testdir({
  '.ssh': {
    config: [
      'Include extra/*.conf',
      'Host kvm-*',
      '  HostName %h.lab.example',
      '  User root',
      '  Port 2200',
      '  IdentityFile ~/.ssh/lab',
      '  IdentityFile %d/.ssh/%r',
      'Host kvm-1',
      '  ProxyJump ops@bastion:2022,second',
      '  UserKnownHostsFile ~/.ssh/known_lab /etc/known',
      '  HostKeyAlias the-kvm',
      'Host bastion',
      '  HostName bastion.example',
      '  IdentityFile ~/.ssh/bastion',
      '  UserKnownHostsFile ~/.ssh/known_bastion',
      'Host direct',
      '  ProxyJump none',
      '  ProxyCommand nc %h %p',
      'Match exec "touch /tmp/guestcert-must-not-be"',
      '  User nobody',
      'Host *',
      '  User everyone',
      '',
    ].join('\n'),
    extra: {
      'one.conf': 'Host included\n  Port 2323\n',
      'two.txt': 'Host included\n  User wrong\n',
    },
    broken: { config: '' },
  },
})

const config = await readSshConfig('~/.ssh/config', home)
const sources = { environment: {}, home }
const login: Login = {
  user: 'tester',
  password: { kind: 'env', name: 'P' },
  algorithms: 'legacy',
  hostKey: { kind: 'known-hosts', path: join(home, '.ssh/known_hosts') },
}

t.test('what the configuration says of a host', async t => {
  t.same(config.defaultsFor('kvm-1'), {
    hostName: 'kvm-1.lab.example',
    port: 2200,
    user: 'root',
    identityFiles: [join(home, '.ssh/lab'), join(home, '.ssh/root')],
    jumps: ['ops@bastion:2022', 'second'],
    knownHostsFiles: [join(home, '.ssh/known_lab'), '/etc/known'],
    hostKeyAlias: 'the-kvm',
    hasProxyCommand: false,
  })
  t.match(config.defaultsFor('elsewhere'), { user: 'everyone', identityFiles: [] })
})

t.test('included files, and what stands behind them', async t => {
  t.match(config.defaultsFor('included'), { port: 2323, user: 'everyone' })
  t.equal(config.defaultsFor('kvm-2').port, 2200)
})

t.test('variables in paths, quotes and any case of keywords', async t => {
  const folder = t.testdir({
    config: `HOST x\n  identityFILE = "$\{HOME}/keys/a b"\n  IdentityFile $\{KEYS}/c\n  IdentityFile ~/d # a note\n`,
  })
  const read = await readSshConfig(join(folder, 'config'), home, { HOME: '/home/me', KEYS: '/k' })
  t.same(read.defaultsFor('x').identityFiles, ['/home/me/keys/a b', '/k/c', join(home, 'd')])
})

t.test('no program is started, and ProxyCommand is only noticed', async t => {
  t.equal(config.defaultsFor('elsewhere').user, 'everyone', 'Match exec did not match')
  t.match(config.defaultsFor('direct'), { jumps: [], hasProxyCommand: true })
})

t.test('without a file nothing is said', async t => {
  const { defaultsFor } = await readSshConfig('~/none', home)
  t.match(defaultsFor('kvm-1'), { identityFiles: [], hasProxyCommand: false })
  t.same((await readSshConfig(null, home)).defaultsFor('kvm-1').identityFiles, [])
})

t.test('what cannot be read is an error of the runner', async t => {
  await t.rejects(readSshConfig('~/.ssh', home), {
    name: 'InfraError',
    message: /\.ssh cannot be read as an SSH configuration/,
    context: { cause: 'runner', code: 'connect' },
  })
})

t.test('the way to a target: the lab above the configuration', async t => {
  const hops = hopsTo({ host: 'kvm-1', port: 22, jumps: [] }, login, config, sources)
  t.match(hops, [
    { host: 'bastion.example', port: 2022, isJump: true, login: { user: 'ops' } },
    { host: 'second', port: 22, isJump: true, login: { user: 'everyone' } },
    {
      host: 'kvm-1.lab.example',
      port: 2200,
      isJump: false,
      hostKeyAlias: 'the-kvm',
      login: { user: 'tester', algorithms: 'legacy' },
      knownHostsFiles: [join(home, '.ssh/known_lab'), '/etc/known'],
    },
  ])
  const own = hopsTo({ host: 'kvm-1', port: 2299, jumps: ['direct'] }, login, config, sources)
  t.match(own, [{ host: 'direct' }, { host: 'kvm-1.lab.example', port: 2299 }])
})

t.test('a file that the lab names is not replaced by one of the configuration', async t => {
  const hostKey = { kind: 'known-hosts', path: '/lab/known_hosts' } as const
  const [, , target] = hopsTo({ host: 'kvm-1', port: 22, jumps: [] }, { ...login, hostKey }, config, sources)
  t.equal(target?.knownHostsFiles, undefined)
})

t.test('a jump host never gets the target’s password, nor its old algorithms or lax host key', async t => {
  const [jump] = hopsTo(
    { host: 'x', port: 22, jumps: ['bastion'] },
    { ...login, hostKey: { kind: 'accept-new' }, key: { kind: 'env', name: 'K' } },
    config,
    sources,
  )
  t.equal(jump?.login.password, undefined)
  t.equal(jump?.login.algorithms, 'modern')
  t.equal(jump?.login.hostKey.kind, 'known-hosts')
  t.equal(jump?.login.key, undefined, 'it has a key of its own')
  t.same(jump?.identityFiles, [join(home, '.ssh/bastion')])
  t.same(jump?.knownHostsFiles, [join(home, '.ssh/known_bastion')])
  const [other] = hopsTo(
    { host: 'x', port: 22, jumps: ['plain'] },
    { ...login, key: { kind: 'env', name: 'K' } },
    config,
    sources,
  )
  t.same(other?.login.key, { kind: 'env', name: 'K' }, 'else the target’s key serves')
})

t.test('how jumps are written', async t => {
  t.same(parseJump('host'), { host: 'host' })
  t.same(parseJump('me@host:2222'), { user: 'me', host: 'host', port: 2222 })
  t.same(parseJump('ssh://me@host:2222'), { user: 'me', host: 'host', port: 2222 })
  t.same(parseJump('me@[2001:db8::1]:2222'), { user: 'me', host: '2001:db8::1', port: 2222 })
  t.same(parseJump('[2001:db8::1]'), { host: '2001:db8::1' })
  t.same(parseJump('2001:db8::1'), { host: '2001:db8::1' })
  t.same(parseJump('me@[fe80::c0:ffee%br-lab0]:22'), { user: 'me', host: 'fe80::c0:ffee%br-lab0', port: 22 })
  t.same(parseJump('a@b@host'), { user: 'a@b', host: 'host' })
})
