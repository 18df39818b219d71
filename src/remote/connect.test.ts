import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { connect } from './connect.js'
import { attempt, rawServer, rsa, withServer } from './connect.test.fixture.js'
import { alone, type ServerOptions, startServer, targetAt } from './server.test.fixture.js'

t.test('TCP', async t => {
  t.test('a refused connection is the network’s', async t => {
    const { port, close } = await rawServer(null)
    close()
    const error = await attempt({ target: change => targetAt(port, '', change) })
    t.match(error, { context: { code: 'connect', cause: 'network', where: 'guest-1' } })
    t.match(error?.message, /guest-1: no connection to 127\.0\.0\.1:\d+: .*ECONNREFUSED/)
  })

  t.test('a name that leads nowhere too', async t => {
    const endpoint = { host: 'no-such-host.invalid', port: 22, jumps: [] }
    const error = await attempt({ target: change => targetAt(22, '', { ...change, endpoint }) })
    t.match(error, { context: { code: 'connect', cause: 'network' } })
  })

  t.test('cancelled before and meanwhile', async t => {
    const { server, port, close } = await rawServer(null)
    for (const cancelsAtOnce of [true, false]) {
      const controller = new AbortController()
      if (cancelsAtOnce) {
        controller.abort()
      } else {
        server.once('connection', () => controller.abort())
      }
      const error = await attempt(
        { target: change => targetAt(port, '', change) },
        { signal: controller.signal },
      )
      t.match(error, { context: { code: 'cancelled', cause: 'runner' } })
    }
    close()
  })
})

t.test('the handshake', async t => {
  for (const [what, answer] of [
    ['silence', null],
    ['a banner and then silence', 'SSH-2.0-Hangs\r\n'],
  ] as const) {
    t.test(`${what} ends at the limit "handshake"`, async t => {
      const server = createServer(socket => {
        socket.on('error', () => {})
        if (answer !== null) {
          socket.write(answer)
        }
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const error = await attempt(
        { target: change => targetAt(port, '', change) },
        { limits: { handshake: 150 } },
      )
      t.match(error, { context: { code: 'handshake', cause: 'network', limit: 'handshake' } })
      server.close()
    })
  }

  for (const [what, answer] of [
    ['a hang-up', ''],
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['the first version of SSH', 'SSH-1.5-Old\r\n'],
    ['garbage behind the banner', `SSH-2.0-Odd\r\n${'\0\xff'.repeat(500)}`],
  ] as const) {
    t.test(`${what} is told`, async t => {
      const { port, close } = await rawServer(answer)
      const error = await attempt(
        { target: change => targetAt(port, '', change) },
        { limits: { handshake: 5000 } },
      )
      t.match(error, { context: { code: 'handshake', cause: 'network' } })
      close()
    })
  }

  t.test('no algorithm in common names the setting that may help', async t => {
    const algorithms = { kex: ['diffie-hellman-group14-sha1'] } as ServerOptions['algorithms']
    await withServer({ algorithms }, async server => {
      const error = await attempt(server)
      t.match(error?.message, /no algorithm in common .* key exchange algorithm; .*"algorithms: legacy"/)
      t.match(error, { context: { code: 'handshake', cause: 'unknown' } })
    })
  })

  t.test('legacy speaks to the systems of 2007, and only where it is said', async t => {
    const old: ServerOptions = {
      hostKeys: [rsa.private],
      algorithms: {
        kex: ['diffie-hellman-group1-sha1'],
        serverHostKey: ['ssh-rsa'],
        cipher: ['3des-cbc'],
        hmac: ['hmac-sha1'],
      },
    }
    await withServer(old, async server => {
      t.match((await attempt(server))?.message, /algorithms: legacy/)
      const machine = await connect(server.target({ login: { algorithms: 'legacy' } }), alone)
      t.equal((await machine.run('echo old')).stdout.text, 'old\n')
      await machine.close()
    })
    for (const cipher of ['aes128-cbc', 'aes256-cbc'] as const) {
      await withServer({ algorithms: { cipher: [cipher] } }, async server => {
        t.match(await attempt(server), { context: { cause: 'unknown' } })
        t.equal(await attempt(server, { login: { algorithms: 'legacy' } }), null)
      })
    }
    await withServer(
      { hostKeys: [rsa.private], algorithms: { serverHostKey: ['ssh-rsa'] } },
      async server => {
        t.match(await attempt(server), { context: { cause: 'unknown' } }, 'no SHA-1 signature')
        t.equal(await attempt(server, { login: { algorithms: 'legacy' } }), null)
      },
    )
  })
})

t.test('the first command', async t => {
  t.test('must answer with 0 within its limit', async t => {
    await withServer({}, async server => {
      t.equal(await attempt(server, {}, { firstCommand: ':' }), null)
      t.match(await attempt(server, {}, { firstCommand: 'echo not yet >&2; exit 9' }), {
        message: 'guest-1: the first command ended with status 9: not yet',
        context: { code: 'command', cause: 'guest' },
      })
      t.match(await attempt(server, { limits: { firstCommand: 200 } }, { firstCommand: 'sleep 30' }), {
        context: { code: 'limit', limit: 'firstCommand' },
      })
    })
  })
})

t.test('closing', async t => {
  await withServer({}, async server => {
    const machine = await connect(server.target(), alone)
    const running = machine.run('echo begun; sleep 30', { onStdout: () => void machine.close() })
    t.same((await running).exit, { kind: 'lost' })
    await machine.close()
    t.pass('twice does no harm')
    await t.rejects(machine.run('true'), { name: 'InfraError', context: { code: 'lost' } })
  })
})

t.test('keepalive finds a connection that went silent', async t => {
  const server = await startServer()
  const relay = createServer().listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const { connect: connectSocket } = await import('node:net')
  const sockets: { pause(): unknown; destroy(): unknown }[] = []
  relay.on('connection', socket => {
    const onward = connectSocket(server.port, '127.0.0.1')
    sockets.push(socket, onward)
    socket.on('error', () => {})
    onward.on('error', () => {})
    socket.pipe(onward).pipe(socket)
  })
  const { port } = relay.address() as AddressInfo
  const endpoint = { host: '127.0.0.1', port, jumps: [] }
  const machine = await connect(server.target({ endpoint, limits: { keepalive: 60 } }), alone)
  const running = machine.run('echo begun; sleep 30', {
    onStdout: () => {
      for (const socket of sockets) {
        socket.pause()
      }
    },
  })
  t.same((await running).exit, { kind: 'lost' })
  t.match(machine.lost.reason, { message: /no answer to 3 keepalive probes/, context: { code: 'lost' } })
  for (const socket of sockets) {
    socket.destroy()
  }
  relay.close()
  await server.close()
})
