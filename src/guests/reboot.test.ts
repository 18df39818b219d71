import { randomUUID } from 'node:crypto'
import t from 'tap'
import { InfraError } from '../config/errors.js'
import type { CommandResult, Machine } from '../remote/machine.js'
import { connectWithRetries } from '../remote/retries.js'
import {
  alone,
  firstStatusIn,
  scripted,
  startServer,
  type TestServer,
} from '../remote/server.test.fixture.js'
import { bootIdentityCommand } from './boot-identity.js'
import { reboot, rebootCommand } from './reboot.js'

/** How a guest of a test reboots. */
interface Manner {
  /** From the command until its connections are cut. */
  readonly downAfterMs?: number
  /** From the cut until it lets people in again; before, log-ins are refused by hanging up. */
  readonly bootMs?: number
  readonly status?: number | 'none'
  readonly keepsIdentity?: boolean
  /** What it says of its uptime after booting; measured if absent. */
  readonly uptimeSec?: number
}

interface Guest {
  readonly server: TestServer
  readonly boots: () => number
  connect(signal: AbortSignal): Promise<Machine>
}

/** An SSH server that plays a guest: an identity, an uptime, and a way down and up again. */
async function guest(manner: Manner): Promise<Guest> {
  let [bootId, bootedAt, btimeSec, boots] = [
    randomUUID() as string,
    performance.now() - 1e7,
    1_700_000_000,
    0,
  ]
  let isDown = false
  const server = await startServer({
    onConnection: connection => {
      if (isDown) {
        connection.end()
      }
    },
    exec: scripted((channel, _connection, command) => {
      const finish = (status: number | 'none'): void => {
        if (status !== 'none') {
          channel.exit(status)
        }
        channel.close()
      }
      const { status = 0 } = manner
      if (command.includes('shutdown')) {
        finish(status)
        setTimeout(goDown, manner.downAfterMs ?? 0).unref()
        return
      }
      if (command.includes('boot_id')) {
        const uptime =
          boots > 0 && manner.uptimeSec !== undefined
            ? manner.uptimeSec
            : (performance.now() - bootedAt) / 1000
        channel.write(`boot_id=${bootId}\nbtime=${btimeSec}\nuptime=${uptime.toFixed(2)}\n`)
      }
      finish(firstStatusIn(command))
    }),
  })
  const goDown = (): void => {
    isDown = true
    server.cut()
    setTimeout(() => {
      isDown = false
      boots += 1
      if (manner.keepsIdentity !== true) {
        bootId = randomUUID()
        bootedAt = performance.now()
        btimeSec += 1000
      }
    }, manner.bootMs ?? 100).unref()
  }
  const backoff = { firstMs: 20, factor: 1.2, longestMs: 100, jitter: 0 }
  return {
    server,
    boots: () => boots,
    connect: signal => connectWithRetries(server.target({ signal }), { ...alone, backoff }),
  }
}

const limits = { reboot: 20_000, command: 10_000 }

t.test('a reboot is proven by the new identity, on a new connection', async t => {
  const { server, connect, boots } = await guest({ downAfterMs: 50 })
  const signal = new AbortController().signal
  const machine = await connect(signal)
  const rebooted = await reboot({ machine, reconnect: connect, limits, signal })
  t.equal(boots(), 1)
  t.not(rebooted.after.bootId, rebooted.before.bootId)
  t.ok(rebooted.after.uptimeSec * 1000 < rebooted.tookMs)
  t.match(rebooted.why, /boot_id changed/)
  t.not(rebooted.machine, machine)
  t.ok(machine.lost.aborted, 'the old connection is gone')
  t.match(await rebooted.machine.run('true'), { exit: { kind: 'code', code: 0 } })
  await rebooted.machine.close()
  await server.close()
})

t.test('a guest that takes the connection down with the command', async t => {
  const { server, connect } = await guest({ status: 'none' })
  const signal = new AbortController().signal
  const rebooted = await reboot({ machine: await connect(signal), reconnect: connect, limits, signal })
  t.ok(rebooted.machine)
  await rebooted.machine.close()
  await server.close()
})

t.test('a connection made before the guest went down does not count', async t => {
  const { server, connect, boots } = await guest({ downAfterMs: 1500 })
  const signal = new AbortController().signal
  let machine = await connect(signal)
  let reconnects = 0
  // The connection breaks at once, long before the guest goes down.
  const run = machine.run.bind(machine)
  machine = Object.assign(Object.create(machine) as Machine, {
    run: async (command: string, options: object): Promise<CommandResult> => {
      const result = await run(command, options)
      if (command.includes('shutdown')) {
        server.cut()
      }
      return result
    },
    close: async () => {},
    lost: machine.lost,
    label: machine.label,
  })
  const rebooted = await reboot({
    machine,
    limits,
    signal,
    reconnect: until => {
      reconnects += 1
      return connect(until)
    },
  })
  t.equal(reconnects, 2, 'once too early, once after the boot')
  t.equal(boots(), 1)
  await rebooted.machine.close()
  await server.close()
})

t.test('a guest that only drops its connections did not reboot', async t => {
  const { server, connect } = await guest({ keepsIdentity: true })
  const signal = new AbortController().signal
  const error: unknown = await reboot({
    machine: await connect(signal),
    reconnect: connect,
    limits: { reboot: 1800, command: 1000 },
    signal,
  }).catch((thrown: unknown) => thrown)
  t.match(error, { name: 'InfraError', context: { code: 'reboot', limit: 'reboot', cause: 'guest' } })
  t.match(
    (error as Error).message,
    /no reboot was seen within the limit "reboot" of 1800 ms: boot_id is still/,
  )
  await server.close()
})

t.test('a new identity with an old uptime is a restored snapshot and no reboot', async t => {
  const { server, connect } = await guest({ uptimeSec: 100_000 })
  const signal = new AbortController().signal
  await t.rejects(
    reboot({
      machine: await connect(signal),
      reconnect: connect,
      limits: { reboot: 1500, command: 1000 },
      signal,
    }),
    { name: 'InfraError', message: /boot_id changed .*, but it has been up for 100000 s/ },
  )
  await server.close()
})

t.test('a guest that stays down ends at the limit', async t => {
  const { server, connect } = await guest({ bootMs: 60_000 })
  const signal = new AbortController().signal
  await t.rejects(
    reboot({
      machine: await connect(signal),
      reconnect: connect,
      limits: { reboot: 1000, command: 1000 },
      signal,
    }),
    { name: 'InfraError', context: { code: 'reboot', limit: 'reboot' } },
  )
  await server.close()
})

t.test('a guest that refuses is told at once', async t => {
  const { server, connect } = await guest({ status: 1, downAfterMs: 60_000 })
  const signal = new AbortController().signal
  const machine = await connect(signal)
  await t.rejects(reboot({ machine, reconnect: connect, limits, signal }), {
    name: 'InfraError',
    message: /the guest refused to reboot: status 1/,
    context: { code: 'reboot', cause: 'guest' },
  })
  await machine.close()
  await server.close()
})

t.test('a wrong host key after the boot ends it at once', async t => {
  const { server, connect } = await guest({})
  const signal = new AbortController().signal
  const wrong = new InfraError('another key', { code: 'host-key', cause: 'unknown', where: 'guest-1' })
  await t.rejects(
    reboot({ machine: await connect(signal), reconnect: () => Promise.reject(wrong), limits, signal }),
    wrong,
  )
  await server.close()
})

t.test('cancelling', async t => {
  const { server, connect } = await guest({ bootMs: 60_000 })
  const controller = new AbortController()
  const machine = await connect(controller.signal)
  machine.lost.addEventListener('abort', () => setTimeout(() => controller.abort(), 50))
  await t.rejects(reboot({ machine, reconnect: connect, limits, signal: controller.signal }), {
    name: 'InfraError',
    context: { code: 'cancelled', cause: 'runner' },
  })
  await server.close()
})

t.test('the commands are one line each, for any login shell', async t => {
  t.notMatch(rebootCommand, '\n')
  t.notMatch(bootIdentityCommand, '\n')
})
