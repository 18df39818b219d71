import { join } from 'node:path'
import type { AuthContext, KeyboardAuthContext } from 'ssh2'
import t from 'tap'
import type { InfraError } from '../config/errors.js'
import { attempt, ed25519, withServer } from './connect.test.fixture.js'
import { keyPair, password, startServer, type TargetChange } from './server.test.fixture.js'

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

  t.test('a password that has expired is told, and not changed', async t => {
    const authenticate = (context: AuthContext): void => {
      if (context.method === 'password') {
        context.requestChange('Your password has expired.', () => context.accept())
      } else {
        context.reject(['password'])
      }
    }
    await withServer({ authenticate }, async server => {
      const error = await attempt(server, { limits: { authentication: 5000 } })
      t.match(error?.message, /the password of root has expired/)
      t.match(error, { context: { code: 'authentication' } })
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
