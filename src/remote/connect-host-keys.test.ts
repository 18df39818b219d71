import { writeFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { connect } from './connect.js'
import { attempt, ecdsa, ed25519, rsa, withServer } from './connect.test.fixture.js'
import { alone, fingerprintOfPair, keyPair, type TargetChange } from './server.test.fixture.js'

t.test('host keys', async t => {
  const keys = { hostKeys: [ed25519.private, ecdsa.private, rsa.private] }

  t.test('a wrong one is refused before anything is shown of the log-in', async t => {
    await withServer({}, async server => {
      const fingerprint = fingerprintOfPair(ecdsa.public)
      const error = await attempt(server, { login: { hostKey: { kind: 'pinned', fingerprint } } })
      t.match(error, { context: { code: 'host-key', cause: 'unknown' } })
      t.match(error?.message, server.fingerprints[0] ?? 'none')
      t.match(error?.message, fingerprint)
      t.equal(server.counts.logins, 0)
    })
  })

  t.test('a pinned fingerprint is found among keys of all types', async t => {
    for (const pair of [ed25519, ecdsa, rsa]) {
      await withServer(keys, async server => {
        const fingerprint = fingerprintOfPair(pair.public)
        const machine = await connect(
          server.target({ login: { hostKey: { kind: 'pinned', fingerprint } } }),
          alone,
        )
        t.equal(machine.hostKey, fingerprint)
        await machine.close()
      })
    }
  })

  t.test('when none of the types fits, the first one seen is told', async t => {
    await withServer(keys, async server => {
      const fingerprint = fingerprintOfPair(keyPair('ed25519').public)
      const error = await attempt(server, { login: { hostKey: { kind: 'pinned', fingerprint } } })
      t.match(error, { context: { code: 'host-key' } })
      t.match(error?.message, fingerprintOfPair(ed25519.public))
      t.equal(server.counts.connections, 3, 'each type was asked for once')
    })
  })

  t.test('a type that known_hosts knows is asked for first', async t => {
    const path = join(t.testdir(), 'known_hosts')
    for (const pair of [ecdsa, rsa]) {
      await withServer(keys, async server => {
        writeFileSync(path, `[127.0.0.1]:${server.port} ${pair.public}\n`)
        const machine = await connect(
          server.target({ login: { hostKey: { kind: 'known-hosts', path } } }),
          alone,
        )
        t.equal(machine.hostKey, fingerprintOfPair(pair.public))
        t.equal(server.counts.connections, 1)
        await machine.close()
      })
    }
  })

  t.test('an unknown host is refused with the line to write', async t => {
    await withServer({}, async server => {
      const path = join(t.testdir(), 'none')
      const error = await attempt(server, { login: { hostKey: { kind: 'known-hosts', path } } })
      t.match(error, { context: { code: 'host-key' } })
      t.match(error?.message, `write hostKey: ${server.fingerprints[0]}`)
    })
  })

  t.test('accept-new writes down what it took, and takes no other from then on', async t => {
    const path = join(t.testdir(), 'guestcert.known_hosts')
    const change = { login: { hostKey: { kind: 'accept-new', path } } } as const
    const home = t.testdir({ '.ssh': {} })
    await withServer({ hostKeys: [ed25519.private] }, async server => {
      t.equal(await attempt(server, change, { home }), null)
      t.match(
        await readFile(path, 'utf8'),
        `[127.0.0.1]:${server.port} ssh-ed25519 ${ed25519.public.split(' ')[1]}`,
      )
      t.equal(await attempt(server, change, { home }), null, 'again')
      const lines = (await readFile(path, 'utf8')).trim().split('\n')
      t.equal(lines.length, 2, 'a heading and the key, once')
    })
    await withServer({ hostKeys: [ecdsa.private] }, async server => {
      const line = (await readFile(path, 'utf8')).replace(/:\d+ /, `:${server.port} `)
      await writeFile(path, line)
      const error = await attempt(server, change, { home })
      t.match(error, { context: { code: 'host-key' } })
      t.match(error?.message, `${path}:2`, 'a later run refuses another key')
    })
  })

  t.test('accept-new takes no key that contradicts known_hosts, or that it cannot write down', async t => {
    const folder = t.testdir({ '.ssh': {} })
    await withServer({ hostKeys: [ed25519.private] }, async server => {
      const change = { login: { hostKey: { kind: 'accept-new', path: join(folder, 'accepted') } } } as const
      const knownHosts = join(folder, '.ssh/known_hosts')
      await writeFile(knownHosts, `[127.0.0.1]:${server.port} ${ecdsa.public}\n`)
      const error = await attempt(server, change, { home: folder })
      t.match(error, { context: { code: 'host-key' } })
      t.match(error?.message, `${knownHosts}:1`)
      await writeFile(knownHosts, '')
      const nowhere = {
        login: { hostKey: { kind: 'accept-new', path: join(folder, 'no/such/folder') } },
      } as const
      t.match(await attempt(server, nowhere, { home: folder }), {
        message: /cannot be written down/,
        context: { code: 'host-key', cause: 'runner' },
      })
    })
  })

  t.test('accept-new pins an instance for its life only, whatever its address', async t => {
    const path = join(t.testdir(), 'accepted')
    const home = t.testdir({ '.ssh': {} })
    const login = { hostKey: { kind: 'accept-new', path } } as const
    const pinned = (name: string): TargetChange => ({
      login,
      pinned: { name, isInstance: true, mayMove: true },
    })
    await withServer({ hostKeys: [ed25519.private] }, async one => {
      await withServer({ hostKeys: [ecdsa.private] }, async other => {
        t.equal(await attempt(one, pinned('gc-1'), { home }), null)
        t.equal(await attempt(other, pinned('gc-2'), { home }), null)
        t.match(await attempt(other, pinned('gc-1'), { home }), { context: { code: 'host-key' } })
        t.equal(await attempt(one, pinned('gc-1'), { home }), null)
      })
    })
    await t.rejects(readFile(path), { code: 'ENOENT' })
  })

  t.test('the image’s key', async t => {
    await withServer({}, async server => {
      const login = { hostKey: { kind: 'image' } } as const
      t.equal(await attempt(server, { login, image: { hostKey: server.fingerprints[0] ?? '' } }), null)
      t.match(await attempt(server, { login, image: { hostKey: 'SHA256:other' } }), {
        context: { code: 'host-key' },
      })
      t.match(await attempt(server, { login }), { context: { code: 'host-key' } })
    })
  })
})
