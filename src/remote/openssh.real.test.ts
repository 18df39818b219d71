/** Needs Debian's openssh-server, and root. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from './connect.js'
import type { Machine } from './machine.js'
import { startOpenSsh } from './openssh.test.fixture.js'
import { unique } from './server.test.fixture.js'
import { sweep } from './sweep.js'
import { carry, fetch } from './transfer.js'

t.setTimeout(300_000)
const ssh = await startOpenSsh()
const alone = { sshConfigPath: null, environment: {}, home: ssh.folder, mark: `real/${process.pid}` } as const
t.teardown(() => ssh.close())

async function using(work: (machine: Machine) => Promise<void>): Promise<void> {
  const machine = await connect(ssh.target(), alone)
  try {
    await work(machine)
  } finally {
    await machine.close()
  }
}

async function args(machine: Machine, word: string): Promise<string> {
  const command = `ps ax -o args | grep '[${word.slice(0, 1)}]${word.slice(1)}'`
  return (await machine.run(unique(command))).stdout.text
}

t.test('commands: status, signal, streams, input, environment', async t => {
  await using(async machine => {
    t.match(await machine.run('echo out; echo err >&2; cat; exit 3', { stdin: Buffer.from('in') }), {
      exit: { kind: 'code', code: 3 },
      stdout: { text: 'out\nin' },
      stderr: { text: 'err\n' },
      undrained: false,
    })
    t.match((await machine.run('kill -KILL $$')).exit, { kind: 'signal', signal: 'SIGKILL' })
    t.equal((await machine.run('echo $LC_ALL $TZ $#')).stdout.text, 'C UTC 0\n')
    const bytes = Buffer.alloc(5_000_000, 'abcdefg')
    t.ok((await machine.run('cat', { stdin: bytes })).stdout.bytes.equals(bytes))
  })
})

t.test('a limit leaves nothing running: children, groups, sessions, those who ignore signals', async t => {
  await using(async machine => {
    const result = await machine.run(
      unique(
        'echo begun; trap "" TERM HUP; sleep 4001 & setsid sleep 4002 & setsid sh -c "trap \'\' TERM; setsid sleep 4003 & sleep 4004" & (setsid sh -c "(sleep 4005; :) &" &) ; sleep 4006',
      ),
      { limitMs: 700, limitName: 'test' },
    )
    t.match(result, { exit: { kind: 'limit', limit: 'test' }, stdout: { text: 'begun\n' } })
    t.equal(await args(machine, 'sleep 400'), '')
    t.notOk(machine.lost.aborted)
  })
})

t.test('a background child that holds the streams, and the sweep that ends it', async t => {
  const target = ssh.target({ limits: { drain: 200 } })
  const first = await connect(target, alone)
  t.match(await first.run(unique('sleep 4011 & echo done')), {
    exit: { kind: 'code', code: 0 },
    stdout: { text: 'done\n' },
    undrained: true,
  })
  await first.close()
  await using(async machine => {
    t.match(await args(machine, 'sleep 4011'), /^sleep \d+4011\n$/, 'closing the connection does not end it')
    t.equal(await sweep(machine, `real/${process.pid}`, { limitMs: 15_000 }), 1)
    t.equal(await args(machine, 'sleep 4011'), '')
  })
})

t.test('a command that is killed from outside with its sshd is lost', async t => {
  await using(async machine => {
    const result = await machine.run('echo ok 1; sleep 0.3; kill -9 $PPID; sleep 5', { limitMs: 20_000 })
    t.same(result.exit, { kind: 'lost' })
    t.equal(result.stdout.text, 'ok 1\n')
    t.ok(machine.lost.aborted)
  })
})

t.test('more commands than MaxSessions, and stopping among them', async t => {
  await using(async machine => {
    const results = await Promise.all([
      ...Array.from({ length: 30 }, (_, index) => machine.run(`sleep 0.1; echo ${index}`)),
      machine.run(unique('sleep 4021'), { limitMs: 300 }),
    ])
    t.same(
      results.slice(0, 30).map(({ stdout }) => stdout.text),
      Array.from({ length: 30 }, (_, index) => `${index}\n`),
    )
    t.equal(results[30]?.exit.kind, 'limit')
    t.equal(await args(machine, 'sleep 4021'), '')
  })
})

t.test('keys exchanged anew in mid-stream, and the host key checked again', async t => {
  const other = await startOpenSsh(['RekeyLimit 1M'])
  const machine = await connect(other.target(), alone)
  const { stdout, exit } = await machine.run('head -c 6000000 /dev/zero')
  t.same(exit, { kind: 'code', code: 0 })
  t.equal(stdout.totalBytes, 6_000_000)
  await machine.close()
  await other.close()
})

t.test('files go there and back', async t => {
  await using(async machine => {
    const folder = join(ssh.folder, 'carried here')
    const content = readFileSync(process.execPath).subarray(0, 3_000_000)
    const files = [
      { path: 'bin/tool', mode: 0o755, content },
      { path: 'data', mode: 0o640, content: Buffer.from('x') },
    ]
    await carry(machine, files, folder, { limitMs: 30_000 })
    t.ok(readFileSync(join(folder, 'bin/tool')).equals(content))
    t.equal(statSync(join(folder, 'bin/tool')).mode & 0o777, 0o755, 'root gets the modes as they are')
    t.equal(statSync(join(folder, 'data')).mode & 0o777, 0o640)
    t.equal(statSync(folder).mode & 0o777, 0o700)
    const chunks: Buffer[] = []
    await fetch(machine, join(folder, 'bin/tool'), chunk => void chunks.push(chunk), { limitMs: 30_000 })
    t.ok(Buffer.concat(chunks).equals(content))
  })
})
