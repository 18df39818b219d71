import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { AuthContext, KeyboardAuthContext } from 'ssh2'
import t from 'tap'
import { InfraError } from '../config/errors.js'
import { connect } from './connect.js'
import type { Machine } from './machine.js'
import {
  alone,
  fingerprintOfPair,
  keyPair,
  password,
  type ServerOptions,
  startServer,
  type TargetChange,
  type TestServer,
  targetAt,
} from './server.test.fixture.js'
import type { ConnectOptions } from './target.js'

const ed25519 = keyPair('ed25519')
const ecdsa = keyPair('ecdsa')
const rsa = keyPair('rsa')

/** Connects, closes, and returns what was thrown, if anything was. */
async function attempt(
  server: Pick<TestServer, 'target'>,
  change: TargetChange = {},
  options: ConnectOptions = {},
): Promise<InfraError | null> {
  let machine: Machine | undefined
  try {
    machine = await connect(server.target(change), { ...alone, ...options })
    return null
  } catch (error) {
    if (!(error instanceof InfraError)) {
      throw error
    }
    return error
  } finally {
    await machine?.close()
  }
}

async function withServer(
  options: ServerOptions,
  work: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer(options)
  try {
    await work(server)
  } finally {
    await server.close()
  }
}

/** A TCP server that is no SSH server. */
async function rawServer(
  answer: string | null,
): Promise<{ server: Server; port: number; close: () => void }> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    if (answer !== null) {
      socket.end(answer)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port, close: () => server.close() }
}

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

t.test('logging in', async t => {
  const byPassword = (context: AuthContext): void =>
    context.method === 'password' && context.password === password
      ? context.accept()
      : context.reject(['password'])

  t.test('with a password, wrong or right', async t => {
    await withServer({ authenticate: byPassword }, async server => {
      t.equal(await attempt(server), null)
      const wrong = 'a-wrong-S3cret'
      const error = await attempt(server, {}, { environment: { TEST_PASSWORD: wrong } })
      t.match(error, { context: { code: 'authentication', cause: 'unknown', where: 'guest-1' } })
      t.match(error?.message, /root@127.* refused the log-in: tried password; it accepts password/)
      t.notMatch(`${error?.message}${error?.stack}`, wrong)
      t.equal(server.counts.logins, 1)
    })
  })

  t.test('a secret that is not there ends it before anyone is called', async t => {
    await withServer({}, async server => {
      const error = await attempt(server, {}, { environment: {} })
      t.match(error, { context: { code: 'authentication', cause: 'runner' } })
      t.match(error?.message, /TEST_PASSWORD, which is not set/)
      t.equal(server.counts.connections, 0)
    })
  })

  t.test('a secret that the server sends back stays out of the message', async t => {
    const authenticate = (context: AuthContext): void => {
      if (context.method === 'keyboard-interactive') {
        const answer = context as KeyboardAuthContext
        answer.prompt([{ prompt: `is it ${password}?`, echo: true }], () => context.reject([]))
      } else {
        context.reject(['keyboard-interactive'])
      }
    }
    await withServer({ authenticate }, async server => {
      const error = await attempt(server)
      t.match(error?.message, /left unanswered: "is it \[secret\]\?"/)
      t.notMatch(`${error?.message}${error?.stack}${JSON.stringify(error)}`, password)
    })
  })

  t.test('keyboard-interactive: only a hidden prompt for a password is answered, and once', async t => {
    const asked: string[][] = []
    const authenticate = (context: AuthContext): void => {
      if (context.method !== 'keyboard-interactive') {
        context.reject(['keyboard-interactive'])
        return
      }
      const prompts = [
        { prompt: 'One-time token: ', echo: false },
        { prompt: 'Your name: ', echo: true },
        { prompt: 'Password: ', echo: false },
        { prompt: 'New password: ', echo: false },
      ]
      context.prompt(prompts, answers => {
        asked.push(answers)
        context.accept()
      })
    }
    await withServer({ authenticate }, async server => {
      t.equal(await attempt(server), null)
      t.same(asked, [['', '', password, '']])
    })
  })

  t.test('a key, plain and encrypted', async t => {
    const locked = keyPair('ed25519', 'the passphrase')
    const folder = t.testdir({ plain: ed25519.private, locked: locked.private, public: ed25519.public })
    const users = new Set([ed25519.public, locked.public].map(text => text.split(' ')[1]))
    const authenticate = (context: AuthContext): void =>
      context.method === 'publickey' && users.has(context.key.data.toString('base64'))
        ? context.accept()
        : context.reject(['publickey'])
    await withServer({ authenticate }, async server => {
      const tryKey = (login: TargetChange['login'], environment = {}): Promise<InfraError | null> => {
        const { password: _none, ...rest } = server.target().login
        return attempt(
          { target: () => ({ ...server.target(), login: { ...rest, ...login } }) },
          {},
          {
            environment: {
              KEY: ed25519.private,
              PASSPHRASE: 'the passphrase',
              WRONG: 'wr0ng-one',
              ...environment,
            },
          },
        )
      }
      const file = (name: string): { kind: 'file'; path: string } => ({
        kind: 'file',
        path: join(folder, name),
      })
      const env = (name: string): { kind: 'env'; name: string } => ({ kind: 'env', name })
      t.equal(await tryKey({ key: file('plain') }), null, 'from a file')
      t.equal(await tryKey({ key: env('KEY') }), null, 'from the environment')
      t.equal(await tryKey({ key: file('locked'), passphrase: env('PASSPHRASE') }), null, 'encrypted')
      t.match((await tryKey({ key: file('locked') }))?.message, /is encrypted; name its passphrase/)
      const wrong = await tryKey({ key: file('locked'), passphrase: env('WRONG') })
      t.match(wrong?.message, /cannot be decrypted with the passphrase given/)
      t.notMatch(wrong?.message, 'wr0ng-one')
      t.match((await tryKey({ key: file('public') }))?.message, /is a public key/)
      t.match((await tryKey({ key: env('WRONG') }))?.message, /the private key \$WRONG cannot be used/)
      t.match(await tryKey({ key: file('missing') }), { context: { code: 'authentication' } })
      t.match((await tryKey({ key: { kind: 'agent' } }))?.message, /SSH_AUTH_SOCK is not set/)
      t.match((await tryKey({}))?.message, /names neither key nor password/)
    })
  })

  t.test('a wrong key ends it, and says which was tried', async t => {
    const folder = t.testdir({ key: ed25519.private })
    await withServer({ authenticate: context => context.reject(['publickey']) }, async server => {
      const key = { kind: 'file', path: join(folder, 'key') } as const
      const error = await attempt(server, { login: { key } })
      t.match(error?.message, /tried key .*\/key/)
      t.match(error, { context: { code: 'authentication' } })
    })
  })

  t.test('a key and then a password where both are asked for', async t => {
    const folder = t.testdir({ key: ed25519.private })
    let hasKey = false
    const authenticate = (context: AuthContext): void => {
      if (context.method === 'publickey') {
        hasKey = context.signature !== undefined || hasKey
        if (context.signature === undefined) {
          context.accept()
        } else {
          context.reject(['password'], true)
        }
      } else if (context.method === 'password' && hasKey) {
        context.accept()
      } else {
        context.reject(['publickey'])
      }
    }
    await withServer({ authenticate }, async server => {
      const key = { kind: 'file', path: join(folder, 'key') } as const
      t.equal(await attempt(server, { login: { key } }), null)
    })
  })

  t.test('the image’s key', async t => {
    const keyPath = join(t.testdir({ key: ed25519.private }), 'key')
    await withServer({}, async server => {
      const login = { key: { kind: 'image' } } as const
      t.equal(await attempt(server, { login, image: { keyPath } }), null)
      t.match(await attempt(server, { login, image: { keyPath: `${keyPath}-none` } }), {
        context: { code: 'authentication' },
      })
      t.match((await attempt(server, { login }))?.message, /no image is known/)
    })
  })

  t.test('a server that never answers ends at the limit "authentication"', async t => {
    await withServer({ authenticate: () => {} }, async server => {
      const error = await attempt(server, { limits: { authentication: 150 } })
      t.match(error, { context: { code: 'limit', cause: 'network', limit: 'authentication' } })
    })
  })

  t.test('a server that hangs up meanwhile may answer another time', async t => {
    const server = await startServer({ authenticate: () => server.cut() })
    t.match(await attempt(server), { context: { code: 'lost', cause: 'network' } })
    await server.close()
  })

  t.test('one that ends the talk by its own word has refused', async t => {
    await withServer({ authenticate: context => context.reject([]) }, async server => {
      t.match(await attempt(server), { context: { code: 'authentication' } })
    })
  })
})

t.test('the first command', async t => {
  t.test('must answer with 0 within its limit', async t => {
    await withServer({}, async server => {
      t.equal(await attempt(server, {}, { firstCommand: ':' }), null)
      t.match(await attempt(server, {}, { firstCommand: 'echo not yet >&2; exit 9' }), {
        message: 'guest-1: the first command ended with status 9 not yet',
        context: { code: 'command', cause: 'guest' },
      })
      t.match(await attempt(server, { limits: { firstCommand: 200 } }, { firstCommand: 'sleep 30' }), {
        context: { code: 'limit', limit: 'firstCommand' },
      })
    })
  })
})

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
  const { mkdirSync } = await import('node:fs')
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

t.test('closing', async t => {
  await withServer({}, async server => {
    const machine = await connect(server.target(), alone)
    const running = machine.run('echo begun; sleep 30', { onStdout: () => void machine.close() })
    t.same((await running).exit, { kind: 'lost' })
    await machine.close()
    t.pass('twice is no harm')
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
  t.match(machine.lost.reason, { message: /Keepalive timeout/, context: { code: 'lost' } })
  for (const socket of sockets) {
    socket.destroy()
  }
  relay.close()
  await server.close()
})
