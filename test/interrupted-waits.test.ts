/** One interrupt ends whatever a run waits for before its tests, and undoes what was begun. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { JournalEvent } from '../src/journal/events.js'
import { type ServerOptions, startServer } from '../src/remote/server.test.fixture.js'
import { guestcertProcess } from './cli-process.js'

t.setTimeout(120_000)

/** Where a guest is that keeps a run waiting, and what must not end before the interrupt: an hour is patient enough. */
interface Silent {
  readonly port: number
  readonly fingerprint: string
}

const anyKey = `SHA256:${'A'.repeat(43)}`

async function tcp(t: Test, answers: boolean): Promise<Silent> {
  const server = createServer(socket => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  if (answers) t.teardown(() => server.close())
  else server.close()
  return { port, fingerprint: anyKey }
}

async function ssh(t: Test, options: ServerOptions): Promise<Silent> {
  const server = await startServer(options)
  t.teardown(() => server.close())
  return { port: server.port, fingerprint: server.fingerprints[0] ?? '' }
}

const waits: Readonly<Record<string, (t: Test) => Promise<Silent>>> = {
  'a port that nobody listens on': t => tcp(t, false),
  'a server without a banner': t => tcp(t, true),
  'log-ins that are refused': t => ssh(t, { authenticate: context => context.reject(['password']) }),
  'a log-in that is never decided': t => ssh(t, { authenticate: () => {} }),
  'a first command that never begins': t => ssh(t, { exec: () => {} }),
  'channels that are refused': t => ssh(t, { refusesChannels: true }),
}

const lab = ({ port, fingerprint }: Silent): string => `lab: waits
defaults:
  limits: { boot: 1h, tcp: 1h, handshake: 1h, authentication: 1h, login: 1h, firstCommand: 1h, channel: 1h, transfer: 1h, notice: 300ms, undo: 1h }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  deb:
    { product: debian, version: "12", arch: x86_64, login: { user: root, password: env:WAITS_SECRET, hostKey: "${fingerprint}" },
      on: { here: { address: "127.0.0.1:${port}", configuration: { vcpus: 1 } } } }
suites: [builtin]
`

/** Sends a signal to a run once it has said what it waits for. */
async function interrupt(
  folder: string,
  signal: NodeJS.Signals,
): Promise<{ code: number | null; events: readonly JournalEvent[]; stderr: string }> {
  const [program, ...args] = guestcertProcess
  const runner: ChildProcess = spawn(program, [...args, 'run', 'lab.yaml', '--reporter', 'json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: folder, SSH_AUTH_SOCK: '', WAITS_SECRET: 'Not-the-r1ght-one' },
  })
  let [told, stderr] = ['', '']
  let isSent = false
  runner.stdout?.on('data', chunk => {
    told += String(chunk)
    if (told.includes('"type":"waiting"') && !isSent) {
      isSent = true
      runner.kill(signal)
    }
  })
  runner.stderr?.on('data', chunk => {
    stderr += String(chunk)
  })
  const [code] = (await once(runner, 'close')) as [number | null]
  const text = await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')
  return {
    code,
    stderr,
    events: text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as JournalEvent),
  }
}

for (const [index, [what, silent]] of Object.entries(waits).entries()) {
  const signal = (['SIGHUP', 'SIGTERM', 'SIGINT'] as const)[index % 3] ?? 'SIGINT'
  t.test(`${signal} ends the wait for ${what}`, { buffered: false }, async t => {
    const { code, events, stderr } = await interrupt(t.testdir({ 'lab.yaml': lab(await silent(t)) }), signal)
    t.equal(code, 130, stderr)
    t.match(stderr, /Interrupted/)
    t.match(
      events.find(({ type }) => type === 'instance-ended'),
      { orphan: null, kept: false },
      'nothing is left behind',
    )
    t.match(events.at(-1), {
      type: 'run-closed',
      interrupted: true,
      exitCode: 130,
      counts: { pass: 0, fail: 0 },
    })
  })
}
