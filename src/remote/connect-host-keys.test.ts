import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from './connect.js'
import { attempt, ecdsa, ed25519, rsa, withServer } from './connect.test.fixture.js'
import { alone, fingerprintOfPair, keyPair } from './server.test.fixture.js'

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

  t.test('accept-new says what it took', async t => {
    await withServer({}, async server => {
      const seen: string[] = []
      const machine = await connect(
        server.target({
          login: { hostKey: { kind: 'accept-new' } },
          onHostKeyAccepted: (fingerprint, type) => seen.push(`${type} ${fingerprint}`),
        }),
        alone,
      )
      t.same(seen, [`ssh-ed25519 ${server.fingerprints[0]}`])
      await machine.close()
    })
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
