import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent, TestEnded } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'
import { prove, provesEach } from './prove.js'

t.setTimeout(240_000)

const pairs = join(packageRoot, 'fixtures/test-suites/pairs')

function lab(guests: string, { suite = pairs, more = '' } = {}): string {
  return `lab: pairs
defaults: { retries: 0, parallel: 4, limits: { boot: 60s, recovery: 20s }${more} }
hosts:
  here: { product: rhel-kvm, version: "9.6", driver: static }
  there: { product: rhel-kvm, version: "9.6", driver: static }
guests:
${guests}
suites: [${suite}]
`
}

function guest(id: string, { host = 'here', faults = '' } = {}): string {
  const own = faults === '' ? '' : `, faults: { ${faults} }`
  return `  ${id}: { product: debian, version: "12", arch: x86_64, emulated: debian-12${own}, on: { ${host}: { configuration: {} } } }`
}

interface Pass {
  readonly code: number
  readonly stdout: string
  readonly folder: string
  readonly events: readonly JournalEvent[]
  readonly ended: readonly TestEnded[]
}

async function pass(folder: string): Promise<Pass> {
  const { code, stdout } = await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports')])
  const run = join(folder, 'reports/latest')
  const journal = (await readFile(join(run, 'journal.ndjson'), 'utf8')).trimEnd().split('\n')
  const events = journal.map(line => JSON.parse(line) as JournalEvent)
  const ended = events.flatMap(event => (event.type === 'test-ended' ? [event] : []))
  return { code, stdout, folder: run, events, ended }
}

t.test('two guests that are each other’s peers serve their tests one after the other', async t => {
  const folder = t.testdir({ 'lab.yaml': lab([guest('one'), guest('two')].join('\n')) })
  const { code, stdout, events, ended, folder: run } = await pass(folder)
  t.equal(code, 0, stdout)
  const tests = ['guestcert/boot', 'pairs/copied', 'pairs/apart']
  for (const id of ['one', 'two']) {
    const own = ended.filter(({ environment }) => environment.startsWith(`${id}@`))
    t.same(
      own.map(({ test, verdict }) => `${test} ${verdict}`),
      tests.map(test => `${test} pass`),
      id,
    )
  }
  const started = events.flatMap(event => (event.type === 'instance-started' ? [event] : []))
  t.match(
    started.map(({ environment, peer }) => [environment.slice(0, 3), peer?.slice(0, 3)]).sort(),
    [
      ['one', undefined],
      ['one', 'two'],
      ['two', undefined],
      ['two', 'one'],
    ].sort(),
  )
  // Neither is anybody's peer while it serves its own tests.
  const turns = events.flatMap(({ type, ...event }) =>
    (type === 'instance-started' || type === 'instance-ended') && 'environment' in event
      ? [event.environment]
      : [],
  )
  t.equal(turns.filter((id, index) => id !== turns[index - 1]).length, 2, turns.join(' '))
  const endedInstances = events.filter(({ type }) => type === 'instance-ended')
  t.equal(endedInstances.length, 4, 'peers are undone, too')
  const xml = await readFile(join(run, 'junit/one@rhel-kvm-9.6+default.xml'), 'utf8')
  t.match(xml, /<property name="peer" value="two@rhel-kvm-9.6\/default"\/>/)
  t.match(xml, /<property name="instance.peer" value="gc-[^"]* on here"\/>/)
  const evidence = await readdir(join(run, 'evidence'), { recursive: true })
  t.ok(
    evidence.some(path => path.endsWith('copied.1.peer-commands.txt')),
    'what the peer said is kept apart',
  )
})

t.test('where no guest can be the peer, the tests are left out with the reason', async t => {
  const rows: readonly (readonly [string, RegExp])[] = [
    [guest('one'), /it needs a peer, and there is no other guest in this run/],
    [
      `${guest('one')}\n${guest('two', { host: 'there' })}`,
      /it needs a peer: two is on no host of this guest/,
    ],
    [
      `${guest('one')}\n  win: { product: windows-server, version: "2022", arch: x86_64, emulated: windows-2022, on: { here: { configuration: {} } } }`,
      /it needs a peer: win: guest family is windows, not linux/,
    ],
  ]
  for (const [guests, why] of rows) {
    const folder = t.testdir({ 'lab.yaml': lab(guests) })
    const { code, stderr } = await guestcert(['plan', join(folder, 'lab.yaml')])
    t.equal(code, 2)
    t.match(stderr, /the choice leaves no test/)
    const withSteady = lab(guests).replace(
      'suites: [',
      `suites: [${join(packageRoot, 'fixtures/test-suites/steady')}, `,
    )
    const both = t.testdir({ 'lab.yaml': withSteady })
    const { stdout } = await guestcert(['plan', join(both, 'lab.yaml'), '--json'])
    const [own] = (JSON.parse(stdout) as { environments: { leftOut: { test: string; why: string }[] }[] })
      .environments
    t.match(own?.leftOut.find(({ test }) => test === 'pairs/copied')?.why, why)
  }
})

const mixed = `suite: mixed
version: 1.0.0
title: Guests of two families
api: 1
tests:
  - { id: to-windows, title: A file goes to a Windows peer, requirements: [M-1], level: required, applies: { guest: { family: linux } }, module: carries.ts, needs: { peer: { family: windows } } }
  - { id: to-linux, title: A file goes to a Linux peer, requirements: [M-1], level: required, applies: { guest: { family: windows } }, module: carries.ts, needs: { peer: { family: linux } } }
`
const carries = `import { test } from 'guestcert/api'
export default test(async ({ guest, peer, expect }) => {
  const [there, here] = [await peer.scratch(), await guest.scratch()]
  const inPeer = there.includes(':') ? there + '\\\\file' : there + '/file'
  const inGuest = here.includes(':') ? here + '\\\\file' : here + '/file'
  await peer.writeFile(inPeer, 'from the peer')
  await guest.writeFile(inGuest, await peer.readBytes(inPeer))
  expect(Buffer.from(await guest.readBytes(inGuest)).toString()).toBe('from the peer', 'its bytes come over')
  expect(await guest.bootIdentity() === await peer.bootIdentity()).toBe(false, 'it is another machine')
  const said = await peer.run('echo of the peer')
  expect(said.stdout.trim()).toBe('of the peer', 'it carries out commands')
})
`

t.test('guests of either family are peers of the other', async t => {
  const windows =
    '  win: { product: windows-server, version: "2022", arch: x86_64, emulated: windows-2022, on: { here: { configuration: {} } } }'
  const folder = t.testdir({
    'lab.yaml': lab(`${guest('one')}\n${windows}`, { suite: './mixed' }),
    mixed: { 'suite.yaml': mixed, 'carries.ts': carries },
  })
  const { code, stdout, ended } = await pass(folder)
  t.equal(code, 0, stdout)
  t.same(
    ended.map(({ environment, test, verdict }) => `${environment.slice(0, 3)} ${test} ${verdict}`).sort(),
    [
      'one guestcert/boot pass',
      'one mixed/to-windows pass',
      'win guestcert/boot pass',
      'win mixed/to-linux pass',
    ],
  )
})

const manifest = `suite: lost
version: 1.0.0
title: Peers that are lost
applies: { guest: { product: debian } }
tests:
  - { id: before, title: Before, requirements: [X-1], level: required, module: alone.ts }
  - { id: lost, title: Lost, requirements: [X-1], level: required, module: lost.ts, needs: { peer: true } }
  - { id: after, title: After, requirements: [X-1], level: required, module: alone.ts }
`
const alone = `import { test } from 'guestcert/api'
export default test(async ({ guest, expect }) => { expect((await guest.run('true')).succeeded).toBe(true, 'it runs') })
`

function lostSuite(body: string): Record<string, string> {
  const lost = `import { test } from 'guestcert/api'
export default test(async ({ guest, peer, expect }) => { ${body} })
`
  return { 'suite.yaml': manifest, 'alone.ts': alone, 'lost.ts': lost }
}

t.test('a peer that is lost is an error of the test alone, and never a failure of the guest', async t => {
  const sound = `expect((await peer.run('true')).succeeded).toBe(true, 'it runs')`
  const rows: readonly (readonly [faults: string, body: string, cause: string, reason: RegExp])[] = [
    ['neverBoots: true', sound, 'network', /^the peer two@.*ECONNREFUSED/],
    ['refusedLogin: true', sound, 'network', /^the peer two@.*log-in/],
    [
      'drop: { command: marker, afterBytes: 0 }',
      `await peer.run('echo marker')`,
      'network',
      /^the peer two@.*lost/,
    ],
    [
      // The check fails since the peer is gone: nothing may be concluded of the guest.
      'unaskedReboot: { command: marker }',
      `await peer.run('echo marker').catch(() => {}); expect(1).toBe(2, 'the client reaches the server')`,
      'network',
      /^the peer two@.*rebooted/,
    ],
  ]
  for (const [faults, body, cause, reason] of rows) {
    const text = lab(`${guest('one')}\n${guest('two', { faults })}`, { suite: './lost' })
    const folder = t.testdir({
      'lab.yaml': text.replace('boot: 60s', 'boot: 5s'),
      lost: lostSuite(body),
    })
    const { stdout } = await guestcert([
      'run',
      join(folder, 'lab.yaml'),
      '-o',
      join(folder, 'reports'),
      '--reporter',
      'json',
    ])
    const ended = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as JournalEvent)
      .flatMap(event => (event.type === 'test-ended' && event.environment.startsWith('one@') ? [event] : []))
    t.match(
      ended,
      [
        { test: 'guestcert/boot', verdict: 'pass' },
        { test: 'lost/before', verdict: 'pass' },
        { test: 'lost/lost', verdict: 'error', cause, reason },
        { test: 'guestcert/boot', verdict: 'pass' },
        { test: 'lost/after', verdict: 'pass' },
      ],
      faults,
    )
  }
})

t.test('a test that did not ask for a peer has none, and a script cannot ask', async t => {
  const asks = { ...lostSuite('') }
  asks['suite.yaml'] = manifest.replace(', needs: { peer: true }', '')
  asks['lost.ts'] =
    `import { test } from 'guestcert/api'\nexport default test(async ({ peer, expect }) => { expect(peer.address).toBe('', 'x') })\n`
  const unexpected = t.testdir({ 'lab.yaml': lab(guest('one'), { suite: './lost' }), lost: asks })
  const { ended } = await pass(unexpected)
  t.match(
    ended.find(({ test }) => test === 'lost/lost'),
    { verdict: 'error', cause: 'test', reason: /this test has no peer: its manifest must say/ },
  )
  const script = t.testdir({
    'lab.yaml': lab(guest('one'), { suite: './lost' }),
    lost: {
      ...lostSuite(''),
      'suite.yaml': manifest.replace('module: lost.ts', 'script: lost.sh, protocol: tap'),
      'lost.sh': '#!/bin/sh\n',
    },
  })
  const refused = await guestcert(['plan', join(script, 'lab.yaml')])
  t.equal(refused.code, 2)
  t.match(refused.stderr, /lost\/suite\.yaml:7:\d+: peer: .*a script cannot reach a peer: only a module can/)
})

/** Two guests that a host starts, and how many it can hold. */
const started = (guests: number): string => `lab: started
defaults: { retries: 0, parallel: 4, limits: { boot: 60s } }
hosts:
  kvm: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm, capacity: { guests: ${guests}, memory: 8GiB } }
guests:
${['one', 'two']
  .map(
    id =>
      `  ${id}: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { kvm: { vm: ${id}, clean: { overlay: /var/lib/libvirt/images/${id}.qcow2 }, via: host, configuration: { vcpus: 1, memory: 1GiB } } } }`,
  )
  .join('\n')}
suites: [${pairs}, ${join(packageRoot, 'fixtures/test-suites/steady')}]
`

t.test('a host that starts its guests holds both at once, and both are removed', async t => {
  const folder = t.testdir({ 'lab.yaml': started(2) })
  const { code, stdout, events, ended } = await pass(folder)
  t.equal(code, 0, stdout)
  t.equal(ended.filter(({ test }) => test.startsWith('pairs/')).length, 4)
  const undone = events.flatMap(event => (event.type === 'instance-ended' ? [event] : []))
  t.equal(undone.length, 4)
  for (const event of undone) {
    t.equal(event.orphan, null)
    t.match(event.undone, ['clean', 'disconnect', 'stop', 'remove'])
  }
  const small = t.testdir({ 'lab.yaml': started(1) })
  const plan = await guestcert(['plan', join(small, 'lab.yaml')])
  t.equal(plan.code, 0)
  t.match(plan.stdout, /all of pairs\n +it needs a peer: kvm cannot hold one and two at once/)
})

t.test('tests of two guests are proven as others are', async t => {
  const { tests } = provesEach(t, await prove(['--json', pairs]))
  t.same([...tests].sort(), ['pairs/apart', 'pairs/copied'])
})
