import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { InfraError } from '../config/errors.js'
import {
  type Backoff,
  backoffMs,
  bootBackoff,
  connectToAny,
  connectWithRetries,
  isWorthRetrying,
  type Search,
} from './retries.js'
import {
  alone,
  firstStatusIn,
  keyPair,
  scripted,
  startServer,
  type TestServer,
  targetAt,
} from './server.test.fixture.js'

const quick: Backoff = { firstMs: 10, factor: 1.5, longestMs: 50, jitter: 0.3 }

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

t.test('waits grow to a bound and are left a little to chance', async t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (retry, chance) => {
        const ms = backoffMs(retry, bootBackoff, () => chance)
        return ms > 0 && ms <= bootBackoff.longestMs
      },
    ),
  )
  const waits = [1, 2, 3, 50].map(retry => backoffMs(retry, { ...bootBackoff, jitter: 0 }))
  t.same(waits, [200, 300, 450, 5000])
})

t.test('only what may be mended is tried again', async t => {
  const error = (code: InfraError['context']['code'], cause: InfraError['context']['cause']): InfraError =>
    new InfraError('x', { code, cause, where: 'g' })
  for (const code of ['connect', 'handshake', 'lost', 'limit'] as const) {
    t.ok(isWorthRetrying(error(code, 'network')), code)
  }
  t.ok(isWorthRetrying(error('command', 'guest')), 'a first command that failed')
  t.notOk(isWorthRetrying(error('host-key', 'unknown')))
  t.notOk(isWorthRetrying(error('authentication', 'unknown')))
  t.notOk(isWorthRetrying(error('handshake', 'unknown')), 'no algorithm in common')
  t.notOk(isWorthRetrying(error('cancelled', 'runner')))
  t.notOk(isWorthRetrying(new Error('a bug')))
})

t.test('a guest that boots: refused, then hung up, then not ready, then there', async t => {
  let commands = 0
  const server = await startServer({
    exec: scripted((channel, _connection, command) => {
      commands += 1
      channel.exit(commands < 3 ? 1 : firstStatusIn(command))
      channel.close()
    }),
  })
  const port = await freePort()
  const endpoint = { host: '127.0.0.1', port, jumps: [] }
  const { connect: connectSocket } = await import('node:net')
  let accepted = 0
  const front = createServer(socket => {
    accepted += 1
    socket.on('error', () => {})
    if (accepted < 3) {
      socket.destroy()
    } else {
      const onward = connectSocket(server.port, '127.0.0.1')
      onward.on('error', () => {})
      socket.pipe(onward).pipe(socket)
    }
  })
  const met: string[] = []
  const machine = await connectWithRetries(server.target({ endpoint }), {
    ...alone,
    backoff: quick,
    onRetry: error => {
      met.push(error.context.code)
      if (met.length === 3) {
        front.listen(port, '127.0.0.1')
      }
    },
  })
  t.same(met.slice(0, 3), ['connect', 'connect', 'connect'])
  t.same([...new Set(met.slice(3))].sort(), ['command', 'handshake'])
  t.equal(commands, 3, 'the machine is there when its first command has answered')
  await machine.close()
  front.close()
  await server.close()
})

t.test('a wrong password, key or host key ends it at once', async t => {
  const server = await startServer({ authenticate: context => context.reject(['password']) })
  for (const hostKey of [
    { kind: 'pinned', fingerprint: server.fingerprints[0] ?? '' },
    { kind: 'pinned', fingerprint: 'SHA256:other' },
  ] as const) {
    const before = server.counts.connections
    const retried: unknown[] = []
    await t.rejects(
      connectWithRetries(server.target({ login: { hostKey } }), {
        ...alone,
        backoff: quick,
        onRetry: error => retried.push(error),
      }),
      { name: 'InfraError' },
    )
    t.same(retried, [])
    t.equal(server.counts.connections, before + (hostKey.fingerprint === 'SHA256:other' ? 2 : 1))
  }
  await server.close()
})

t.test('the limit "boot" ends it, and what the last try met is told', async t => {
  const port = await freePort()
  const error: unknown = await connectWithRetries(targetAt(port, '', { limits: { boot: 300 } }), {
    ...alone,
    backoff: quick,
  }).catch((thrown: unknown) => thrown)
  t.match(error, { name: 'InfraError', context: { code: 'boot', limit: 'boot', cause: 'network' } })
  t.match(
    (error as Error).message,
    /not reached within the limit "boot" of 300 ms, in \d+ tries; last: .*ECONNREFUSED/,
  )
})

t.test('the limit "boot" also ends a try that hangs', async t => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await t.rejects(connectWithRetries(targetAt(port, '', { limits: { boot: 200 } }), alone), {
    name: 'InfraError',
    context: { code: 'boot' },
  })
  server.close()
})

t.test('one signal for many machines and commands is not a leak', async t => {
  const server = await startServer()
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  const { signal } = new AbortController()
  const machines = await Promise.all(
    Array.from({ length: 12 }, () =>
      connectWithRetries(server.target({ signal }), { ...alone, firstCommand: null }),
    ),
  )
  t.equal(server.commands.length, 0, 'no first command where none is wanted')
  await Promise.all(machines.map(machine => machine.run('true', { signal })))
  await Promise.all(machines.map(machine => machine.close()))
  await server.close()
  await pause(10)
  process.off('warning', onWarning)
  t.same(warnings, [])
})

t.test('cancelling ends it, also while it waits', async t => {
  const port = await freePort()
  const controller = new AbortController()
  await t.rejects(
    connectWithRetries(targetAt(port, '', { signal: controller.signal }), {
      ...alone,
      onRetry: () => controller.abort(),
    }),
    { name: 'InfraError', context: { code: 'cancelled', cause: 'runner' } },
  )
})

t.test('a log-in that is refused at first and let in later', async t => {
  let refused = 0
  const server = await startServer({
    banner: 'the system is booting up',
    authenticate: context => {
      if (refused < 4) {
        refused += context.method === 'password' ? 1 : 0
        context.reject(['password'])
      } else {
        context.accept()
      }
    },
  })
  t.teardown(() => server.close())
  const told: string[] = []
  const options = {
    ...alone,
    refusalBackoff: quick,
    onRetry: (error: InfraError) => told.push(error.message),
  }
  const machine = await connectWithRetries(server.target(), { ...options, refusalsMs: 60_000 })
  await machine.close()
  t.equal(told.length, 4)
  t.match(told[0], /refused the log-in: tried password; .*the server said: "the system is booting up"/)
  refused = 0
  await t.rejects(connectWithRetries(server.target(), options), {
    name: 'InfraError',
    context: { code: 'authentication' },
  })
  t.equal(refused, 1, 'where nothing boots, a refusal is final')
})

t.test('a log-in that is always refused is an error of its own, with the words of the server', async t => {
  const server = await startServer({
    banner: 'go away',
    authenticate: context => context.reject(['password']),
  })
  t.teardown(() => server.close())
  const options = { ...alone, refusalBackoff: quick }
  for (const [limits, refusalsMs] of [
    [{ boot: 400 }, 60_000],
    [{ boot: 60_000 }, 300],
  ] as const) {
    await t.rejects(connectWithRetries(server.target({ limits }), { ...options, refusalsMs }), {
      message: /refused the log-in.*the server said: "go away"; tried \d+ times in \d+ s/,
      context: { code: 'authentication', cause: 'unknown' },
    })
  }
})

/** Looks for a machine at these addresses, round by round; the last stay. */
function searchAmong(server: TestServer, rounds: readonly (readonly number[])[], boot = 20_000): Search {
  let asked = 0
  const { limits, signal } = server.target({ limits: { boot, tcp: 1000 } })
  return {
    label: 'guest-1',
    limits,
    signal,
    mayMove: true,
    find: async until => {
      const ports = rounds[Math.min(asked, rounds.length - 1)] ?? []
      asked += 1
      return ports.map(port => ({
        ...server.target({ limits: { boot, tcp: 1000 }, signal: until }),
        label: `guest-1 (127.0.0.1:${port})`,
        endpoint: { host: '127.0.0.1', port, jumps: [] },
      }))
    },
  }
}

t.test('every address is tried, and asked for again', async t => {
  const server = await startServer()
  const other = await startServer({ hostKeys: [keyPair('ed25519').private] })
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(async () => {
    silent.close()
    await server.close()
    await other.close()
  })
  const dead = await freePort()
  const mute = (silent.address() as AddressInfo).port
  for (const [what, rounds] of [
    ['a dead one first', [[dead, server.port]]],
    ['one that accepts and says nothing first', [[mute, server.port]]],
    ['another machine first', [[other.port, server.port]]],
    ['one that changes', [[dead], [dead], [server.port]]],
    ['one that was given to another machine, and changes', [[other.port], [other.port], [server.port]]],
    ['none at first', [[], [], [server.port]]],
  ] as const) {
    const machine = await connectToAny(searchAmong(server, rounds), { ...alone, backoff: quick })
    t.equal(machine.hostKey, server.fingerprints[0], what)
    await machine.close()
  }
})

t.test('what was met at every address is told', async t => {
  const server = await startServer()
  t.teardown(() => server.close())
  const [one, two, three] = [await freePort(), await freePort(), await freePort()]
  const search = searchAmong(server, [[one, two], [three]], 500)
  const error: unknown = await connectToAny(search, { ...alone, backoff: quick }).catch(
    (thrown: unknown) => thrown,
  )
  t.match(error, { name: 'InfraError', context: { cause: 'network', code: 'connect', limit: 'boot' } })
  for (const port of [one, two, three]) {
    t.match((error as Error).message, new RegExp(`guest-1 \\(127.0.0.1:${port}\\): .*ECONNREFUSED`))
  }
  await t.rejects(
    connectToAny(searchAmong(server, [[server.port]], 20_000), {
      ...alone,
      backoff: quick,
      firstCommand: 'exit 3',
      refusalsMs: 1,
    }),
    { name: 'InfraError', context: { code: 'command', cause: 'guest' } },
  )
})

t.test('another host key at the only address is believed after a while', async t => {
  const server = await startServer()
  const other = await startServer({ hostKeys: [keyPair('ed25519').private] })
  t.teardown(async () => {
    await server.close()
    await other.close()
  })
  const search = searchAmong(server, [[other.port]])
  await t.rejects(connectToAny(search, { ...alone, backoff: quick }), {
    name: 'InfraError',
    context: { code: 'host-key' },
  })
  t.ok(other.counts.connections > 1)
})
