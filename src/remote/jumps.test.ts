import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from './connect.js'
import { attempt, ecdsa, ed25519, rawServer, rsa } from './connect.test.fixture.js'
import { alone, startServer, type TargetChange, targetAt } from './server.test.fixture.js'

t.test('jumps', async t => {
  const folder = t.testdir()
  const knownHosts = join(folder, 'known_hosts')
  const configPath = join(folder, 'config')
  const keyPath = join(folder, 'key')
  writeFileSync(keyPath, ed25519.private)
  const bastion = await startServer({ forwards: true, hostKeys: [ecdsa.private] })
  const second = await startServer({ forwards: true, hostKeys: [rsa.private] })
  const inner = await startServer({})
  writeFileSync(
    configPath,
    `Host bastion\n  HostName 127.0.0.1\n  Port ${bastion.port}\n  IdentityFile ${keyPath}\n`,
  )
  const options = { sshConfigPath: configPath, home: folder }
  const login = { key: { kind: 'file', path: keyPath } } as const
  const known = `[127.0.0.1]:${bastion.port} ${ecdsa.public}\n`
  const toInner = (jumps: readonly string[], change: TargetChange = {}): TargetChange => ({
    endpoint: { host: '127.0.0.1', port: inner.port, jumps },
    login: { ...login, ...change.login },
    ...change,
  })
  t.teardown(async () => {
    await Promise.all([bastion.close(), second.close(), inner.close()])
  })
  mkdirSync(join(folder, '.ssh'))
  const setKnown = (text: string): void => {
    writeFileSync(join(folder, '.ssh/known_hosts'), text)
    writeFileSync(knownHosts, text)
  }

  t.test('a chain of two, each with a key of its own', async t => {
    setKnown(`${known}[127.0.0.1]:${second.port} ${rsa.public}\n`)
    const jumps = ['root@bastion', `root@127.0.0.1:${second.port}`]
    const machine = await connect(inner.target(toInner(jumps)), { ...alone, ...options })
    t.equal((await machine.run('echo through')).stdout.text, 'through\n')
    t.equal(machine.hostKey, inner.fingerprints[0])
    await machine.close()
    t.equal(bastion.counts.logins, 1)
    t.equal(second.counts.logins, 1)
  })

  t.test('a jump host whose key is not known is refused, and named', async t => {
    setKnown('')
    const error = await attempt(inner, toInner(['root@bastion']), options)
    t.match(error, { context: { code: 'host-key' } })
    t.match(error?.message, /guest-1, at the jump host bastion/)
  })

  t.test('what lies behind is checked as strictly', async t => {
    setKnown(known)
    const hostKey = { kind: 'pinned', fingerprint: 'SHA256:another' } as const
    const error = await attempt(inner, toInner(['root@bastion'], { login: { ...login, hostKey } }), options)
    t.match(error, { context: { code: 'host-key', where: 'guest-1' } })
  })

  t.test('nothing behind the jump is told as no connection', async t => {
    setKnown(known)
    const { port, close } = await rawServer(null)
    close()
    const endpoint = { host: '127.0.0.1', port, jumps: ['root@bastion'] }
    const error = await attempt(inner, { endpoint, login }, options)
    t.match(error, { context: { code: 'connect', cause: 'network', where: 'guest-1' } })
    t.match(error?.message, /guest-1: guest-1, at the jump host bastion: no way on to 127/)
  })

  t.test('losing the jump is losing the machine', async t => {
    setKnown(known)
    const machine = await connect(inner.target(toInner(['root@bastion'])), { ...alone, ...options })
    const lost = new Promise<void>(resolve => machine.lost.addEventListener('abort', () => resolve()))
    bastion.cut()
    await lost
    t.match(machine.lost.reason, { context: { code: 'lost' } })
    await machine.close()
  })

  t.test('inside a connection that is there already', async t => {
    const host = await connect(bastion.target(), alone)
    const machine = await connect(inner.target({ via: host }), alone)
    t.equal((await machine.run('echo inside')).stdout.text, 'inside\n')
    await machine.close()
    t.equal((await host.run('echo still')).stdout.text, 'still\n', 'which is left as it was')
    await host.close()
  })

  t.test('a host that forwards nothing is told apart', async t => {
    const host = await connect(inner.target(), alone)
    const error = await attempt(inner, { via: host })
    t.match(error, { context: { code: 'connect', cause: 'network' } })
    t.match(error?.message, /guest-1: guest-1: no way on to 127.*refused or out of reach/)
    await host.close()
  })

  t.test('a ProxyCommand is not carried out, and that is said', async t => {
    writeFileSync(configPath, 'Host 127.0.0.1\n  ProxyCommand nc %h %p\n')
    const { port, close } = await rawServer(null)
    close()
    const error = await attempt({ target: change => targetAt(port, '', change) }, {}, options)
    t.match(error?.message, /ProxyCommand for 127\.0\.0\.1, which is not carried out/)
  })
})
