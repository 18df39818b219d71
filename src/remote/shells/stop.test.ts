import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { connect, type Machine, sweep } from '../index.js'
import {
  alone,
  realShell,
  type ServerOptions,
  scripted,
  startServer,
  unique,
} from '../server.test.fixture.js'

const isLinux = process.platform === 'linux'
const skip = isLinux ? {} : { skip: 'needs the processes of Linux' }

async function connected(
  exec?: ServerOptions['exec'],
  limits = {},
): Promise<{ machine: Machine; commands: string[]; close: () => Promise<void> }> {
  const server = await startServer(exec === undefined ? {} : { exec })
  const mark = `test/stop-${process.pid}`
  const machine = await connect(server.target({ limits }), { ...alone, mark })
  return {
    machine,
    commands: server.commands,
    close: async () => {
      await machine.close()
      await server.close()
    },
  }
}

/** Processes whose command line holds a word; the brackets keep the search itself out. */
async function processes(machine: Machine, word: string): Promise<string> {
  const { stdout } = await machine.run(unique(`ps ax -o args | grep '[${word.slice(0, 1)}]${word.slice(1)}'`))
  return stdout.text
}

t.test('a limit stops a command with all it started, and says which limit', skip, async t => {
  const { machine, close } = await connected()
  const result = await machine.run(
    unique(
      'echo begun; sleep 3001 & (sleep 3002 & setsid sleep 3003 & setsid sh -c "sleep 3004; :" & wait) & trap "" TERM; sleep 3005',
    ),
    { limitMs: 400, limitName: 'test' },
  )
  t.match(result.exit, { kind: 'limit', limit: 'test', limitMs: 400 })
  t.equal(result.stdout.text, 'begun\n')
  t.equal(await processes(machine, 'sleep 300'), '', 'nothing is left')
  t.notOk(machine.lost.aborted, 'the connection serves on')
  await close()
})

t.test('a child with a process group of its own that was never exec’ed is stopped too', skip, async t => {
  const { machine, close } = await connected()
  const result = await machine.run('set -m; (while :; do read -r line </dev/zero; done) & echo $!; wait', {
    limitMs: 400,
  })
  t.equal(result.exit.kind, 'limit')
  const pid = result.stdout.text.trim()
  t.match(pid, /^\d+$/)
  t.equal((await machine.run(`ps -o stat= -p ${pid} | grep -v Z`)).stdout.text, '')
  await close()
})

for (const [what, slow] of [
  ['is accepted', { acceptMs: 400 }],
  ['starts', { startMs: 400 }],
] as const) {
  t.test(`a command that ${what} only after its limit is stopped all the same`, skip, async t => {
    const server = await startServer(slow)
    const machine = await connect(server.target(), { ...alone, mark: `test/late-${process.pid}` })
    const running = machine.run(unique('setsid sleep 3071 & sleep 3072'), { limitMs: 100 })
    t.match((await running).exit, { kind: 'limit', limitMs: 100 })
    t.equal(await processes(machine, 'sleep 307'), '')
    t.notOk(machine.lost.aborted)
    await machine.close()
    await server.close()
  })
}

t.test('a command that does not start while it can be waited for closes the connection', async t => {
  for (const slow of [{ acceptMs: 3000 }, { startMs: 3000 }]) {
    const server = await startServer(slow)
    const machine = await connect(server.target({ limits: { stop: 150 } }), alone)
    t.match(await machine.run('sleep 1', { limitMs: 50 }), { exit: { kind: 'limit' } })
    t.match(machine.lost.reason, { name: 'InfraError', context: { code: 'lost', limit: 'stop' } })
    await machine.close()
    await server.close()
  }
})

t.test('other commands of the same connection are not touched', skip, async t => {
  const { machine, close } = await connected()
  const other = machine.run('sleep 1; echo unharmed')
  await machine.run(unique('sleep 3011'), { limitMs: 200 })
  t.match(await other, { exit: { kind: 'code', code: 0 }, stdout: { text: 'unharmed\n' } })
  await close()
})

t.test('cancelling is a limit that came early', skip, async t => {
  const { machine, close } = await connected()
  const controller = new AbortController()
  const running = machine.run(unique('echo begun; setsid sleep 3021 & wait'), {
    signal: controller.signal,
    onStdout: () => controller.abort(),
  })
  t.match((await running).exit, { kind: 'limit', limit: 'cancelled' })
  t.equal(await processes(machine, 'sleep 3021'), '')
  await t.rejects(machine.run('true', { signal: controller.signal }), {
    name: 'InfraError',
    context: { code: 'cancelled' },
  })
  await close()
})

t.test('a flood is stopped by its limit', skip, async t => {
  const { machine, close } = await connected()
  const result = await machine.run(unique('yes 3031'), { limitMs: 500, keepBytes: 100 })
  t.equal(result.exit.kind, 'limit')
  t.ok(result.stdout.totalBytes > 100 && result.stdout.truncated)
  t.equal(await processes(machine, 'yes 3031'), '')
  await close()
})

t.test('a sink that never ends does not keep a limit from being kept', skip, async t => {
  const { machine, close } = await connected(undefined, { drain: 200 })
  const result = await machine.run(unique('yes 3041'), {
    limitMs: 300,
    onStdout: () => new Promise<void>(() => {}),
  })
  t.equal(result.exit.kind, 'limit')
  t.equal(await processes(machine, 'yes 3041'), '')
  await close()
})

t.test('without a second channel the connection is closed, and it is a limit all the same', async t => {
  let count = 0
  const { machine, close } = await connected(
    (command, channel, connection) => {
      count += 1
      if (count === 1) {
        scripted(() => {})(command, channel, connection)
      }
      // The second command is never answered.
    },
    { stop: 300 },
  )
  const result = await machine.run('sleep 1', { limitMs: 200 })
  t.match(result.exit, { kind: 'limit', limit: 'command' })
  t.ok(machine.lost.aborted)
  t.match(machine.lost.reason, {
    message: /was to be stopped, but that took longer than the limit "stop"/,
    context: { code: 'lost', limit: 'stop' },
  })
  await close()
})

t.test('processes that remain, and an answer that makes no sense, close the connection', async t => {
  for (const [answer, why] of [
    ['gc-swept 1 4711 4712\n', /these of its processes remained: 4711 4712/],
    ['gc-swept blind\n', /could not be looked at/],
    ['', /could not be looked at/],
  ] as const) {
    let count = 0
    const { machine, close } = await connected(
      scripted(channel => {
        count += 1
        if (count > 1) {
          channel.write(answer)
          channel.exit(0)
          channel.close()
        }
      }),
    )
    t.equal((await machine.run('sleep 1', { limitMs: 100 })).exit.kind, 'limit')
    t.match((machine.lost.reason as Error).message, why)
    await close()
  }
})

t.test('a limit while the channel is not even open', async t => {
  const server = await startServer({
    onConnection: connection => connection.on('session', () => {}),
    refusesChannels: false,
    exec: () => {},
  })
  const machine = await connect(server.target({ limits: { stop: 200 } }), alone)
  const result = await machine.run('true', { limitMs: 100 })
  t.equal(result.exit.kind, 'limit')
  await machine.close()
  await server.close()
})

t.test('a sweep finds what an earlier connection left, by its mark alone', skip, async t => {
  const first = await connected(undefined, { drain: 100 })
  const left = await first.machine.run(unique('setsid sleep 3051 >/dev/null 2>&1 & sleep 3052 & echo done'))
  t.equal(left.undrained, true)
  const second = await connected(realShell())
  t.match(await processes(second.machine, 'sleep 305'), /^(sleep \d+\n){2}$/)
  const options = { limitMs: 15_000 }
  t.equal(await sweep(second.machine, `test/stop-${process.pid}1`, options), 0, 'another mark is another’s')
  t.equal(await sweep(second.machine, 'test/st', options), 0, 'marks are taken part by part')
  t.equal(await sweep(second.machine, `test/stop-${process.pid}/`, options), 2)
  t.equal(await processes(second.machine, 'sleep 305'), '')
  t.equal(await sweep(second.machine, `test/stop-${process.pid}`, options), 0)
  await first.close()
  await second.close()
})

t.test('a sweep that cannot be believed throws', async t => {
  const { machine, close } = await connected(
    scripted(channel => {
      channel.write('gc-swept 2 99\n')
      channel.exit(0)
      channel.close()
    }),
  )
  await t.rejects(sweep(machine, 'a/b', { limitMs: 5000 }), {
    message: /processes of an earlier run could not be killed: 99/,
    context: { code: 'command', cause: 'guest' },
  })
  await t.rejects(async () => sweep(machine, 'a b;c', { limitMs: 5000 }), { name: 'InternalError' })
  await close()
})

t.test('waiting for a stop leaves no timer behind', async t => {
  const { machine, close } = await connected()
  await machine.run('true', { limitMs: 2 ** 40 })
  await close()
  await pause(1)
  t.pass('a limit beyond what timers hold does not fire at once')
})
