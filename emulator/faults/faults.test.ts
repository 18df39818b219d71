import { connect as connectTcp } from 'node:net'
import t, { type Test } from 'tap'
import { type Client, connect, eventually, startGuest, tryConnect } from '../client.test.helper.js'
import type { EmulatedGuest } from '../guest.js'
import type { EmulatedGuestSpec } from '../spec.js'
import { faultsSchema } from './schema.js'

// Guests mostly wait: several tests share the time.
t.jobs = 4

type Faults = NonNullable<EmulatedGuestSpec['faults']>

async function start(t: Test, faults: Faults): Promise<EmulatedGuest> {
  const guest = await startGuest('debian-12', { faults })
  t.teardown(() => guest.close())
  return guest
}

async function startAndConnect(t: Test, faults: Faults): Promise<{ guest: EmulatedGuest; client: Client }> {
  const guest = await start(t, faults)
  const client = await connect(guest)
  t.teardown(() => client.end())
  return { guest, client }
}

t.test('slowBoot: the port opens later', { buffered: true }, async t => {
  const started = performance.now()
  const { client } = await startAndConnect(t, { slowBoot: { ms: 700 } })
  t.ok(performance.now() - started >= 1_000, 'its own 400 ms and 700 more')
  t.equal((await client.run('echo up')).stdout, 'up\n')
})

t.test('neverBoots: the port never opens', { buffered: true }, async t => {
  const guest = await start(t, { neverBoots: true })
  t.equal(guest.state, 'booting')
  await t.rejects(tryConnect(guest), { code: 'ECONNREFUSED' })
})

t.test('noBanner: TCP connects and nothing is said', { buffered: true }, async t => {
  const guest = await start(t, { noBanner: true })
  await eventually('boot', () => guest.state === 'running')
  const socket = connectTcp(guest.port, guest.host)
  t.teardown(() => socket.destroy())
  await new Promise(resolve => socket.once('connect', resolve))
  await t.rejects(tryConnect(guest, { readyTimeout: 300 }), /Timed out/)
})

t.test('refusedLogin: nobody gets in, or only later', { buffered: true }, async t => {
  const guest = await start(t, { refusedLogin: true })
  await eventually('boot', () => guest.state === 'running')
  await t.rejects(tryConnect(guest), /authentication methods failed/)
  const late = await start(t, { refusedLogin: { times: 1 } })
  await eventually('boot', () => late.state === 'running')
  await t.rejects(tryConnect(late), /authentication methods failed/)
  ;(await tryConnect(late)).end()
})

t.test('wrongHostKey: another key than was told', { buffered: true }, async t => {
  const { guest, client } = await startAndConnect(t, { wrongHostKey: true })
  t.match(client.hostKey, /^SHA256:/)
  t.not(client.hostKey, guest.hostKeyFingerprint)
})

t.test('onlyOldAlgorithms: today’s clients find nothing in common', { buffered: true }, async t => {
  const guest = await startGuest('sles-11-sp4', { faults: { onlyOldAlgorithms: true } })
  t.teardown(() => guest.close())
  await eventually('boot', () => guest.state === 'running')
  await t.rejects(tryConnect(guest, { algorithms: {} }), /no matching key exchange/)
  ;(await tryConnect(guest)).end()
})

t.test('drop: the connection goes after so many bytes, without a status', { buffered: true }, async t => {
  const { client } = await startAndConnect(t, { drop: { command: 'many', afterBytes: 100 } })
  t.equal((await client.run('echo few')).stdout, 'few\n')
  const ran = await client.run(': many; yes | head -n 1000')
  t.equal(ran.stdout.length, 100)
  t.strictSame([ran.code, ran.closed], [undefined, true])
})

t.test('drop: the connection goes after matching output', { buffered: true }, async t => {
  const { guest, client } = await startAndConnect(t, { drop: { afterOutput: '1\\.\\.2', times: 1 } })
  const ran = await client.run('echo ok 1; echo ok 2; echo 1..2; echo more')
  t.strictSame([ran.stdout, ran.code, ran.closed], ['ok 1\nok 2\n1..2\n', undefined, true])
  const again = await connect(guest)
  t.equal((await again.run('echo 1..2')).stdout, '1..2\n', 'only once')
  again.end()
})

t.test(
  'hang: at the end, at the start, or after some output; each can be killed',
  { buffered: true },
  async t => {
    for (const [hang, stdout] of [
      [{ command: 'script' }, 'one\ntwo\n'],
      [{ command: 'script', at: 'start' }, ''],
      [{ command: 'script', afterOutput: 'one' }, 'one\n'],
    ] as const) {
      const { guest, client } = await startAndConnect(t, { hang })
      const running = await client.start(': script; echo one; sleep 0.05; echo two')
      await eventually('output', () => running.stdout === stdout)
      const hanging = (): number | undefined =>
        guest.processes().find(({ command }) => command.includes(': script'))?.pgid
      t.equal((await client.run('sleep 0.2; echo done')).stdout, 'done\n', 'others go on')
      t.strictSame([running.stdout, running.exit], [stdout, undefined])
      t.equal((await client.run(`kill -9 -${hanging()}`)).code, 0)
      await eventually('its end', () => running.exit === 'SIGKILL')
      t.equal(hanging(), undefined)
    }
  },
)

t.test('hang: a script within a command', { buffered: true }, async t => {
  const { client } = await startAndConnect(t, {
    hang: { command: 'stuck\\.sh', at: 'program', times: 1 },
  })
  await client.run('echo "echo ran" > stuck.sh')
  const command = "exec /bin/sh -c 'echo $$; /bin/sh ./stuck.sh; echo after'"
  const running = await client.start(command)
  await eventually('output', () => running.stdout.endsWith('\n'))
  const pid = running.stdout.trim()
  t.match(pid, /^\d+$/, 'what comes before it is said')
  t.match((await client.run('ps -e -o args')).stdout, '/bin/sh ./stuck.sh')
  t.equal((await client.run(`kill -9 -${pid}`)).code, 0)
  await eventually('its end', () => running.exit === 'SIGKILL')
  t.equal(running.stdout, `${pid}\n`)
  t.match((await client.run(command)).stdout, /^\d+\nran\nafter\n$/, 'only once')
})

t.test('flood: output without end, held back by a client that does not read', { buffered: true }, async t => {
  const { client } = await startAndConnect(t, { flood: { command: 'flooded' } })
  const running = await client.start(': flooded')
  await eventually('a megabyte', () => running.stdout.length > 1_000_000)
  running.channel.pause()
  running.channel.close()
  t.equal((await client.run('echo alive')).stdout, 'alive\n')
})

t.test('garbage: hostile bytes around the output', { buffered: true }, async t => {
  const { client } = await startAndConnect(t, { garbage: { command: 'dirty' } })
  const ran = await client.run(': dirty; echo clean')
  t.match(ran.stdout, ']]>')
  t.match(ran.stdout, '\x1b[2J')
  t.match(ran.stdout, '\x00')
  t.match(ran.stdout, '\xff\xfe')
  t.match(ran.stdout, 'clean\n')
  t.equal(ran.code, 0)
})

t.test('lostStatus, signalled, wrongStatus, truncated, idle', { buffered: true }, async t => {
  const { client } = await startAndConnect(t, {
    lostStatus: { command: 'lost', times: 1 },
    signalled: { command: 'killed', signal: 'SEGV' },
    wrongStatus: { command: 'wrong', exit: 3 },
    truncated: { command: 'short', bytes: 3 },
    idle: { command: 'lazy' },
  })
  const ran = async (command: string): Promise<unknown[]> => {
    const { stdout, code, signal, closed } = await client.run(`echo ${command}`)
    return [stdout, code, signal, closed]
  }
  t.strictSame(
    await ran('lost'),
    ['lost\n', undefined, undefined, false],
    'the channel closes without a status',
  )
  t.strictSame(await ran('lost'), ['lost\n', 0, undefined, false], 'only once')
  t.strictSame(await ran('killed'), ['killed\n', null, 'SIGSEGV', false])
  t.strictSame(await ran('wrong'), ['wrong\n', 3, undefined, false])
  t.strictSame(await ran('short'), ['sho', 0, undefined, false], 'the last line lacks its end')
  t.strictSame(await ran('lazy'), ['', 0, undefined, false])
})

t.test('unaskedReboot: when a command matches, and after a while', { buffered: true }, async t => {
  const { guest, client } = await startAndConnect(t, { unaskedReboot: { command: 'fragile' } })
  const ran = await client.run('echo fragile; sleep 60')
  t.strictSame([ran.stdout, ran.code, ran.closed], ['fragile\n', undefined, true])
  const after = await connect(guest)
  t.equal((await after.run('echo fragile')).code, 0, 'only once')
  after.end()
  const timed = await start(t, { unaskedReboot: { afterMs: 50 } })
  await eventually('a second boot', () => timed.counters.boots === 2 && timed.state === 'running')
})

t.test('a fault that is written wrongly is refused', { buffered: true }, async t => {
  for (const wrong of [
    { hangs: true },
    { drop: { command: 'x' } },
    { drop: { afterBytes: 1, afterOutput: 'x' } },
    { hang: { command: '(' } },
    { slowBoot: { ms: -1 } },
    { unaskedReboot: {} },
  ]) {
    t.equal(faultsSchema.safeParse(wrong).success, false, JSON.stringify(wrong))
  }
})
