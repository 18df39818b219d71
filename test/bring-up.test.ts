import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent, TestEnded } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'

// Emulated guests share the cores with whatever else is tested.
t.setTimeout(240_000)

const boot = 'guestcert/boot'

/** A lab whose guests run already, each emulated with its own faults, and those that a test adds. */
function lab(guests: Readonly<Record<string, string>>, more = '', boot = '40s'): string {
  return `lab: bring-up
defaults: { limits: { boot: ${boot}, notice: 500ms, tcp: 2s }, retries: 0 }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
${Object.entries(guests)
  .map(
    ([id, what]) =>
      `  ${id}: { product: debian, version: "12", arch: x86_64, ${what}, on: { here: { ${more}configuration: {} } } }`,
  )
  .join('\n')}
suites: [${join(packageRoot, 'fixtures/test-suites/steady')}]
`
}

interface Pass {
  readonly code: number
  readonly stdout: string
  readonly events: readonly JournalEvent[]
  readonly folder: string
  readonly ended: readonly TestEnded[]
}

async function pass(folder: string, ...flags: string[]): Promise<Pass> {
  const ended = await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports'), ...flags])
  const run = join(folder, 'reports/latest')
  const journal = await readFile(join(run, 'journal.ndjson'), 'utf8').catch(() => {
    throw new Error(`nothing ran: ${ended.stderr}`)
  })
  const events = journal
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent)
  const tests = events.flatMap(event => (event.type === 'test-ended' ? [event] : []))
  return { ...ended, events, folder: run, ended: tests }
}

t.test('every environment has its bring-up first, with its steps, in every report', async t => {
  const folder = t.testdir({ 'lab.yaml': lab({ deb: 'emulated: debian-12' }) })
  const { code, stdout, ended, folder: run } = await pass(folder)
  t.equal(code, 0, stdout)
  t.same(
    ended.map(({ test, verdict }) => `${test} ${verdict}`),
    [`${boot} pass`, 'steady/first pass', 'steady/second pass'],
  )
  const steps = ['prepare', 'start', 'address', 'connect', 'log-in', 'payload', 'facts']
  t.match(Object.keys(ended[0]?.measures ?? {}), ['lease', ...steps])
  t.match(stdout, /pass +deb@rhel-kvm-9\.6 \(emulated\) +guestcert\/boot/)
  const plan = JSON.parse(await readFile(join(run, 'plan.json'), 'utf8')) as {
    expected: number
    environments: { tests: { id: string; level: string }[] }[]
  }
  t.equal(plan.expected, 3, 'it is one of the planned results')
  t.match(plan.environments[0]?.tests[0], {
    id: boot,
    level: 'required',
    title: 'answers and lets us in',
  })
  const summary = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as {
    leftOutRequired: number
    environments: { tests: { test: string; stepsMs: object; durationMs: number }[] }[]
  }
  const [first] = summary.environments[0]?.tests ?? []
  t.match(first, { test: boot, verdict: 'pass', attempts: 1 })
  t.match(Object.keys(first?.stepsMs ?? {}), ['lease', ...steps])
  t.equal(summary.leftOutRequired, 0)
  const xml = await readFile(join(run, 'junit/deb@rhel-kvm-9.6+default.xml'), 'utf8')
  const suites = [...xml.matchAll(/<testsuite name="([^"]*)"/g)].map(([, name]) => name)
  t.match(suites, [/\/guestcert \(EMULATED\)$/, /\/steady \(EMULATED\)$/])
  t.match(xml, /<property name="measure.connect" value="\d+ ms"\/>/)
  t.match(xml, /<property name="left-out.required" value="0"\/>/)
})

t.test('an empty choice is nothing to run, however many guests could be brought up', async t => {
  const folder = t.testdir({ 'lab.yaml': lab({ deb: 'emulated: debian-12' }) })
  for (const { flags, why } of [
    { flags: ['--test', boot], why: /--test guestcert\/boot matches nothing/ },
    { flags: ['--suite', 'guestcert'], why: /--suite guestcert matches nothing/ },
    { flags: ['--level', 'optional'], why: /nothing to run/ },
  ]) {
    const args = ['run', join(folder, 'lab.yaml'), '-o', join(folder, 'none'), ...flags]
    const { code, stderr } = await guestcert(args)
    t.equal(code, 2, flags.join(' '))
    t.match(stderr, why)
  }
})

const refused = {
  silent: { faults: 'neverBoots: true', cause: 'network', reason: /ECONNREFUSED/ },
  refusing: { faults: 'refusedLogin: true', cause: 'unknown', reason: /refused the log-in/ },
  'full-disk': {
    faults: 'wrongStatus: { command: "mkdir -p", exit: 1 }',
    cause: 'guest',
    reason: /could not be made ready: contradictory ends: status 1, but its last line says 0/,
  },
  closed: {
    faults: 'idle: { command: "" }, wrongStatus: { command: "", exit: 1 }',
    cause: 'guest',
    reason: /the command was not carried out \(status 1\); the guest printed: nothing/,
  },
}

t.test(
  'what keeps a guest from being tested is an error of its bring-up, never of its first test',
  async t => {
    const guests = Object.fromEntries(
      Object.entries(refused).map(([id, { faults }]) => [id, `emulated: debian-12, faults: { ${faults} }`]),
    )
    const folder = t.testdir({ 'lab.yaml': lab(guests) })
    const { code, stdout, ended } = await pass(folder)
    t.equal(code, 3, stdout)
    for (const [id, { cause, reason }] of Object.entries(refused)) {
      const own = ended.filter(({ environment }) => environment.startsWith(`${id}@`))
      t.match(own[0], { test: boot, verdict: 'error', cause, reason }, id)
      t.match(
        own.slice(1).map(({ test, verdict, cause: why }) => `${test} ${verdict} ${why}`),
        [`steady/first blocked ${cause}`, `steady/second blocked ${cause}`],
        id,
      )
    }
  },
)

t.test('a refused port is said at once, and then again as long as it is waited for', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  const login = 'login: { user: root, password: "env:GUESTCERT_NONE", hostKey: accept-new }'
  const folder = t.testdir({ 'lab.yaml': lab({ real: login }, `address: "127.0.0.1:${port}", `, '6s') })
  process.env.GUESTCERT_NONE = 'x'
  t.teardown(() => {
    delete process.env.GUESTCERT_NONE
  })
  for (const flags of [[], ['--quiet'], ['--reporter', 'json']]) {
    const { code, stdout, events, ended } = await pass(folder, ...flags)
    t.equal(code, 3)
    t.match(ended[0], { test: boot, verdict: 'error', cause: 'network' })
    const said = events.flatMap(event => (event.type === 'waiting' ? [event] : []))
    t.ok(said.length >= 3, `${said.length} times`)
    const [first] = said
    t.match(first?.what, /ECONNREFUSED/)
    t.match(stdout, /ECONNREFUSED/)
    t.equal(
      Date.parse(first?.until ?? '') - Date.parse(first?.since ?? ''),
      said[0]?.limit === 'boot' ? 6000 : 1_800_000,
    )
    t.match(stdout, flags.includes('json') ? /"type":"waiting"/ : /waiting for .*\(since .* until .* limit "/)
  }
})
