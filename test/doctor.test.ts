import { join } from 'node:path'
import t, { type Test } from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { Report } from '../src/doctor/finding.js'
import { freePort } from '../src/remote/openssh.test.fixture.js'
import { keyPair } from '../src/remote/server.test.fixture.js'
import { type Ended, guestcert } from './cli-io.js'

/** A lab of one emulated Debian, of which one thing is changed. */
function lab({ version = '12', extra = '' } = {}): string {
  return `lab: check
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  one:
    product: debian
    version: "${version}"
    arch: x86_64
    emulated: debian-12
    ${extra}
    on: { here: { configuration: {} } }
suites: [builtin]
`
}

const names = ['reachable', 'host key', 'login', 'product', 'version', 'clock', 'free space']

async function doctor(
  t: Pick<Test, 'testdir'>,
  text: string,
  ...flags: readonly string[]
): Promise<Ended & { report: Report; states: Record<string, string>; seen: Record<string, string> }> {
  const cwd = t.testdir({ 'lab.yaml': text })
  const ended = await guestcert(['doctor', 'lab.yaml', '--json', ...flags], { cwd })
  const report = JSON.parse(ended.stdout) as Report
  const findings = report.subjects.flatMap(subject => subject.findings)
  return {
    ...ended,
    report,
    states: Object.fromEntries(findings.map(({ check, state }) => [check, state])),
    seen: Object.fromEntries(findings.map(({ check, seen }) => [check, seen])),
  }
}

const all = (...states: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name, index) => [name, states[index] ?? states.at(-1) ?? '']))

t.test('a lab in which all is well', async t => {
  const { code, states, report } = await doctor(t, lab())
  t.equal(code, 0)
  t.same(states, all('ok'))
  t.match(report, { lab: 'check', ok: true, counts: { ok: 7, missing: 0, 'not-checked': 0 } })
  t.ok(report.subjects.find(({ guest }) => guest?.id === 'one')?.emulated)
})

t.test('guests of one lab, each wrong in its own way, with what was asked and seen', async t => {
  const guest = (id: string, rest: string, version = '12'): string =>
    `  ${id}: { product: debian, version: "${version}", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } }${rest} }`
  const text = `lab: check
defaults: { limits: { tcp: 20s, handshake: 20s, boot: 20s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
${guest('version', '', '11')}
${guest('key', ', faults: { wrongHostKey: true }')}
${guest('login', ', faults: { refusedLogin: true }')}
${guest('silent', ', faults: { noBanner: true }')}
${guest('gone', ', faults: { neverBoots: true }')}
suites: [builtin]
`
  const { code, report } = await doctor(t, text)
  t.equal(code, 3)
  const of = (id: string): Record<string, { state: string; asked: string; seen: string }> =>
    Object.fromEntries(
      report.subjects.find(({ guest }) => guest?.id === id)?.findings.map(one => [one.check, one]) ?? [],
    )
  const statesOf = (id: string): Record<string, string> =>
    Object.fromEntries(Object.entries(of(id)).map(([check, { state }]) => [check, state]))
  t.same(statesOf('version'), { ...all('ok'), version: 'missing' })
  t.match(of('version').version, { asked: '11', seen: /^12/ })
  t.same(statesOf('key'), all('ok', 'missing', 'not-checked'))
  t.match(of('key')['host key']?.seen, /SHA256:/)
  t.equal(of('key').version?.seen, '"login" is not ok')
  t.same(statesOf('login'), all('ok', 'ok', 'missing', 'not-checked'))
  t.match(of('login').login?.seen, /refused the log-in/)
  t.same(statesOf('silent'), all('ok', 'missing', 'not-checked'))
  t.same(statesOf('gone'), all('missing', 'not-checked'))
})

t.test('a password that the runner does not have says nothing of the guest', async t => {
  const { code, states, seen } = await doctor(t, lab({ extra: 'login: { password: env:GC_NOT_SET }' }))
  t.equal(code, 3)
  t.same(states, all('not-checked', 'not-checked', 'missing', 'not-checked'))
  t.match(seen.login, /GC_NOT_SET/)
})

t.test('a command that hangs is missing, within its limit, and nothing else is', async t => {
  const faults = 'faults: { hang: { command: "df -Pk" } }'
  const { code, states, seen } = await doctor(t, lab({ extra: faults }), '--check-limit', '8s')
  t.equal(code, 3)
  t.same(states, { ...all('ok'), 'free space': 'missing' })
  t.match(seen['free space'], /the limit "check" of 8\.0 s was reached/)
})

t.test('bounds are what the command line says', async t => {
  const { code, states, report } = await doctor(t, lab(), '--free-space', '900TiB', '--clock', '0ms')
  t.equal(code, 3)
  t.equal(states['free space'], 'missing')
  t.equal(states.clock, 'not-checked', 'no reading is that certain, and so it is not ok')
  t.equal(report.ok, false)
})

t.test('a host that is gone: its guests are not looked at', async t => {
  const port = await freePort()
  const text = `lab: gone
defaults: { limits: { tcp: 5s } }
hosts:
  kvm-1:
    product: qemu
    version: "7.2"
    driver: libvirt
    connect: { ssh: "root@127.0.0.1:${port}", key: env:GC_KEY, hostKey: accept-new }
    capacity: { guests: 1, vcpus: 1, memory: 1GiB }
guests:
  one:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, key: env:GC_KEY, hostKey: accept-new }
    on: { kvm-1: { vm: one, via: host, clean: { snapshot: clean }, configuration: { vcpus: 1, memory: 1GiB } } }
suites: [builtin]
`
  process.env.GC_KEY = 'no key'
  const unusable = await doctor(t, text)
  t.match(unusable.states, { reachable: 'not-checked', login: 'missing' })
  process.env.GC_KEY = keyPair('ed25519').private
  const { code, states, report } = await doctor(t, text)
  delete process.env.GC_KEY
  t.equal(code, 3)
  const { reachable, ...others } = states
  t.equal(reachable, 'missing')
  t.ok(Object.keys(others).length >= 8)
  t.same([...new Set(Object.values(others))], ['not-checked'])
  t.match(
    report.subjects.find(({ guest }) => guest?.id === 'one')?.findings.map(({ check }) => check),
    ['vm', 'clean state'],
  )
})

t.test('a table for people: aligned, with colours on a terminal alone', async t => {
  const cwd = t.testdir({ 'lab.yaml': lab({ version: '11' }) })
  const plain = await guestcert(['doctor', 'lab.yaml'], { cwd })
  t.equal(plain.code, 3)
  t.notMatch(plain.stdout, /\u001b/)
  const rows = plain.stdout.split('\n').filter(line => / {2}(ok|missing) {2}/.test(line))
  t.equal(rows.length, 7)
  t.equal(
    new Set(rows.map(row => row.search(/ {2}(ok|missing) {2}/))).size,
    1,
    'states stand below each other',
  )
  t.match(plain.stdout, /version +missing +11 +12/)
  t.match(plain.stdout, /check: not ready: 6 ok, 1 missing, 0 not checked/)
  const coloured = await guestcert(['doctor', 'lab.yaml'], { cwd, columns: 80 })
  t.match(coloured.stdout, /\u001b\[31mmissing/)
  const bare = coloured.stdout.replace(/\u001b\[\d+m/g, '')
  t.match(bare, /version +missing +11 +12/)
})

const twoHosts = `lab: choice
hosts:
  one: { product: rhel-kvm, version: "9.6", driver: static }
  two: { product: rhel-kvm, version: "9.4", driver: static }
guests:
  debian:
    product: debian
    version: "12"
    arch: x86_64
    emulated: debian-12
    on: { one: { configuration: {} }, two: { configuration: {} } }
  rhel:
    product: rhel
    version: "9.6"
    arch: x86_64
    emulated: rhel-9
    on: { two: { configuration: {} } }
suites: [builtin]
`

t.test('only the chosen guests, and the hosts that bear them', async t => {
  const cwd = t.testdir({ 'lab.yaml': twoHosts })
  const subjects = async (...flags: string[]): Promise<string[]> => {
    const { stdout } = await guestcert(['doctor', 'lab.yaml', '--json', ...flags], { cwd })
    const report = JSON.parse(stdout) as { subjects: { host: string; guest?: { id: string } }[] }
    return report.subjects.map(({ host, guest }) => (guest === undefined ? host : `${host} ${guest.id}`))
  }
  t.same(await subjects(), ['one', 'one debian', 'two', 'two debian', 'two rhel'])
  t.same(await subjects('--guest', 'rhel'), ['two', 'two rhel'])
  t.same(await subjects('--host', 'o*'), ['one', 'one debian'])
  const { code, stderr } = await guestcert(['doctor', 'lab.yaml', '--guest', 'rhl'], { cwd })
  t.equal(code, 2)
  t.match(stderr, /--guest rhl matches nothing: did you mean "rhel"\?/)
})

t.test('bad input: one line, and nothing is looked at', async t => {
  const cwd = t.testdir({ 'lab.yaml': lab() })
  for (const [argv, says] of [
    [['doctor'], /LAB/],
    [['doctor', 'nowhere.yaml'], /nowhere\.yaml/],
    [['doctor', 'lab.yaml', '--free-space', 'much'], /--free-space much: expected a size/],
    [['doctor', 'lab.yaml', '--clock', 'soon'], /--clock/],
    [['doctor', 'lab.yaml', '--parallel', '0'], /--parallel/],
  ] as const) {
    const { code, stdout, stderr } = await guestcert(argv, { cwd })
    t.equal(code, 2, argv.join(' '))
    t.equal(stdout, '')
    t.match(stderr, says)
  }
})

t.test('the hosts and guests of the showcase are what its lab declares', async t => {
  const { code, stdout } = await guestcert(['doctor', join(packageRoot, 'fixtures/labs/showcase.yaml')])
  t.equal(code, 0, stdout)
  t.match(stdout, /ready: \d\d+ ok, 0 missing, 0 not checked/)
})
