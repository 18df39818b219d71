import t from 'tap'
import { UsageError } from '../config/errors.js'
import { labOf } from '../config/load.js'
import { parseYaml } from '../config/yaml.js'
import { builtinCatalog } from '../hypervisors/registry.js'
import { bootTestId, isBringUp } from './boot.js'
import { makePlan } from './build.js'
import { type Choice, everything } from './choice.js'
import type { Suite, SuiteTest } from './suite.js'
import type { Plan } from './types.js'

const labText = `
lab: two-hosts
hosts:
  a: { product: rhel-kvm, version: "9.6", driver: static }
  b: { product: rhel-kvm, version: "9.6", driver: static }
  hv: { product: hyper-v, version: "2008", driver: static }
guests:
  rhel5:
    product: rhel
    version: "5.11"
    arch: x86_64
    login: { user: root, key: agent }
    on:
      a: { address: 127.0.0.1:2201, configuration: { disk: virtio-blk, vcpus: 2, memory: 2GiB } }
      b: { address: 127.0.0.1:2202, configuration: { disk: virtio-blk, vcpus: 2, memory: 2GiB } }
      hv: { address: 127.0.0.1:2203, configuration: { generation: 1 } }
  ws2008:
    product: windows-server
    version: "2008 SP2"
    arch: x86_64
    login: { user: Administrator, password: env:X }
    on:
      a: { address: 127.0.0.1:2204, configuration: { vcpus: 2, memory: 2GiB } }
suites: [builtin]
`

const plain: Omit<SuiteTest, 'id'> = {
  title: 'A test',
  why: null,
  requirements: ['GC-1'],
  level: 'required',
  protocol: 'tap',
  file: 'x.sh',
  line: 1,
  applies: { guest: { family: 'linux' } },
  limitMs: null,
  isolation: 'shared',
  after: [],
  tags: [],
  needs: { host: [], guest: [], configuration: [], locks: [] },
  measures: {},
  proof: null,
}

function suiteOf(tests: readonly (Partial<SuiteTest> & { id: string })[], more: Partial<Suite> = {}): Suite {
  return {
    id: 's',
    version: '1.0.0',
    title: 'A suite',
    folder: '/suites/s',
    manifest: 'suites/s/suite.yaml',
    digest: 'd1',
    applies: null,
    files: [],
    modules: new Map(),
    tests: tests.map(test => ({ ...plain, ...test })),
    ...more,
  }
}

function plan(
  suite: Suite,
  choice: Partial<Choice> = {},
  text = labText,
  abilities: readonly string[] = [],
): Plan {
  return makePlan(
    labOf(parseYaml('lab.yaml', text), builtinCatalog),
    [suite],
    { ...everything, ...choice },
    () => new Set(abilities),
  )
}

function why(of: Plan, environment: RegExp, test: string): string | undefined {
  const found = of.environments.find(({ id }) => environment.test(id))
  return found?.leftOut.find(left => left.test === test)?.why
}

/** How many tests of suites a plan has. */
function counted({ environments }: Plan): number {
  return environments.flatMap(({ tests }) => tests.filter(test => !isBringUp(test))).length
}

t.test('placements of the same pairing are one environment with two hosts', async t => {
  const { environments, expected } = plan(suiteOf([{ id: 's/one' }]))
  t.same(
    environments.map(({ id, hosts }) => [id, hosts]),
    [
      ['rhel5@rhel-kvm-9.6/virtio-blk-2vcpu-2GiB', ['a', 'b']],
      ['rhel5@hyper-v-2008/gen1', ['hv']],
    ],
  )
  t.equal(expected, 4, 'one test in each, and that each is brought up')
})

t.test('every test that is left out says why', async t => {
  const suite = suiteOf([
    { id: 's/any', applies: null },
    { id: 's/linux' },
    { id: 's/old', applies: { guest: { product: 'rhel', version: '<5.4' } } },
    { id: 's/kvm', applies: { hypervisor: { product: ['rhel-kvm', 'sles-kvm'] } } },
    { id: 's/not-hyper-v', applies: { hypervisor: { not: 'hyper-v' } } },
    { id: 's/virtio', applies: { configuration: { disk: ['virtio-blk', 'virtio-scsi'] } } },
    { id: 's/pause', needs: { host: ['pause'], guest: [], configuration: [], locks: [] } },
    { id: 's/cpus', needs: { host: [], guest: [], configuration: ['vcpus'], locks: [] } },
    { id: 's/wipe', isolation: 'alters-guest' },
    { id: 's/boot', needs: { host: [], guest: ['reboot'], configuration: [], locks: [] } },
  ])
  const made = plan(suite)
  t.equal(why(made, /^ws2008/, 's/linux'), 'guest family is windows, not linux')
  t.equal(why(made, /^rhel5@rhel/, 's/old'), 'guest version is 5.11, not <5.4')
  t.equal(why(made, /hyper-v/, 's/kvm'), 'hypervisor product is hyper-v, not rhel-kvm or sles-kvm')
  t.equal(why(made, /hyper-v/, 's/not-hyper-v'), 'hypervisor product is hyper-v')
  t.equal(why(made, /^rhel5@rhel/, 's/not-hyper-v'), undefined)
  t.equal(why(made, /hyper-v/, 's/virtio'), 'the configuration does not say its disk')
  t.equal(why(made, /hyper-v/, 's/cpus'), 'the configuration does not say its vcpus')
  t.equal(why(made, /hyper-v/, 's/pause'), 'the host hv cannot pause')
  t.match(why(made, /hyper-v/, 's/wipe'), /no clean state/)
  t.match(why(made, /hyper-v/, 's/boot'), /may be rebooted/)
  const kinds = new Map(
    made.environments.find(({ id }) => id.includes('hyper-v'))?.leftOut.map(({ test, kind }) => [test, kind]),
  )
  t.match(
    kinds,
    new Map([
      ['s/kvm', 'not-applicable'],
      ['s/not-hyper-v', 'not-applicable'],
    ]),
  )
  for (const test of ['s/virtio', 's/cpus', 's/pause', 's/wipe', 's/boot']) {
    t.equal(kinds.get(test), 'unable', `${test} may apply, and nobody can say that it does not`)
  }
  const allowed = labText.replace('version: "5.11"', 'version: "5.11"\n    reboot: true')
  t.equal(why(plan(suite, {}, allowed), /hyper-v/, 's/boot'), undefined)
  for (const { tests, leftOut } of made.environments) {
    t.equal(tests[0]?.id, bootTestId)
    t.equal(tests.length - 1 + leftOut.length, suite.tests.length, 'each test is planned or left out')
  }
  t.equal(why(plan(suite, {}, labText, ['pause']), /hyper-v/, 's/pause'), undefined)
})

t.test('what only some hosts of a pairing can do narrows the environment down to them', async t => {
  const needs = { host: ['pause' as const], guest: [], configuration: [], locks: [] }
  const suite = suiteOf([{ id: 's/one' }, { id: 's/pause', needs }, { id: 's/two' }])
  const lab = labOf(parseYaml('lab.yaml', labText), builtinCatalog)
  const able = (id: string): Plan =>
    makePlan(lab, [suite], everything, host => new Set(host.id === id ? ['pause'] : []))
  t.match(able('b').environments[0], { hosts: ['b'], tests: [{}, {}, {}, {}] })
  const none = able('none')
  t.equal(why(none, /^rhel5@rhel/, 's/pause'), 'none of a, b can pause')
  t.same(none.environments[0]?.hosts, ['a', 'b'])
})

const twoHosts = `lab: two
hosts:
  a: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm, capacity: { guests: 1 } }
  b: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm, capacity: { guests: 1 } }
guests:
  rhel9:
    product: rhel
    version: "9.6"
    arch: x86_64
    emulated: rhel-9
    on: { a: { vm: rhel9, clean: { snapshot: clean }, migratesTo: b, configuration: { vcpus: 1 } } }
suites: [builtin]
`

t.test('a test of live migration is left out while somebody else has the second host', async t => {
  const needs = { host: ['migrate' as const], guest: [], configuration: [], locks: [] }
  const suite = suiteOf([{ id: 's/move', needs }, { id: 's/stay' }])
  const requester = { who: 'ada', nowMs: Date.UTC(2026, 0, 1) }
  const planned = (text: string): Plan =>
    makePlan(
      labOf(parseYaml('lab.yaml', text), builtinCatalog),
      [suite],
      everything,
      () => new Set(['migrate']),
      requester,
    )
  t.match(planned(twoHosts).environments[0]?.tests, [
    { id: bootTestId },
    { id: 's/move', migrates: true },
    { id: 's/stay' },
  ])
  const reserved = twoHosts.replace(
    /(b: .*) }/,
    '$1, reserved: { by: bob, until: 2026-02-01T00:00:00Z, why: tests } }',
  )
  t.match(why(planned(reserved), /./, 's/move'), /^the host a cannot migrate: the host b is reserved by bob/)
})

t.test('alternatives of guests: any entry is enough, all keys of one must hold', async t => {
  const applies = {
    guest: [{ product: 'sles' as const }, { product: 'rhel' as const, version: '>=5.4, <6' }],
  }
  t.equal(counted(plan(suiteOf([{ id: 's/a', applies }]))), 2)
  const neither = { guest: [{ product: 'sles' as const }, { product: 'rhel' as const, version: '>=6' }] }
  t.match(
    why(plan(suiteOf([{ id: 's/a', applies: neither }, { id: 's/b' }])), /^rhel5@rhel/, 's/a'),
    /not sles; guest version is 5\.11, not >=6/,
  )
})

t.test('what comes after a test that does not apply is left out too', async t => {
  const suite = suiteOf([
    { id: 's/kvm', applies: { hypervisor: { product: 'rhel-kvm' } } },
    { id: 's/next', after: ['s/kvm'] },
    { id: 's/third' },
  ])
  t.equal(why(plan(suite), /hyper-v/, 's/next'), 'it comes after s/kvm, which is left out')
})

t.test('a test that is chosen takes along what it comes after', async t => {
  const suite = suiteOf([
    { id: 's/first', level: 'optional' },
    { id: 's/second', after: ['s/first'] },
    { id: 's/other' },
    { id: 's/third', after: ['s/second'], tags: ['late'] },
  ])
  for (const choice of [{ tests: ['third'] }, { tags: ['late'] }, { grep: /third/ }]) {
    const { environments } = plan(suite, { ...choice, hosts: ['hv'] })
    t.same(
      environments.flatMap(({ tests }) => tests.map(({ id }) => id)),
      [bootTestId, 's/first', 's/second', 's/third'],
    )
  }
  t.equal(why(plan(suite, { tests: ['third'] }), /hyper-v/, 's/other'), 'not chosen')
})

t.test('the choice narrows, and a name that is nothing is refused', async t => {
  const suite = suiteOf([
    { id: 's/one', tags: ['quick'] },
    { id: 's/two', level: 'optional' },
  ])
  const count = (choice: Partial<Choice>): number => counted(plan(suite, choice))
  t.equal(count({}), 4)
  t.equal(count({ tests: ['one'] }), 2)
  t.equal(count({ tests: ['s/t*'] }), 2)
  t.equal(count({ tags: ['quick'], hosts: ['hv'] }), 1)
  t.equal(count({ levels: ['optional'] }), 2)
  t.equal(count({ grep: /ONE/i }), 2)
  t.throws(() => count({ guests: ['rhel6'] }), {
    message: /--guest rhel6 matches nothing: did you mean "rhel5"/,
  })
  t.throws(() => count({ guests: ['ws2008'] }), UsageError, 'an empty choice is a mistake')
})

t.test('the digest changes with what is tested, and not with where it is', async t => {
  const suite = suiteOf([{ id: 's/one' }, { id: 's/two' }])
  const { digest } = plan(suite)
  t.equal(plan(suite, {}, labText.replaceAll('127.0.0.1', '127.0.0.9').replaceAll('22', '23')).digest, digest)
  t.not(plan(suite, {}, labText.replace('version: "5.11"', 'version: "5.10"')).digest, digest)
  t.not(plan(suite, {}, labText.replaceAll('memory: 2GiB', 'memory: 4GiB')).digest, digest)
  t.not(plan({ ...suite, digest: 'd2' }).digest, digest, 'another text of a suite is another plan')
  t.not(plan(suite, { tests: ['one'] }).digest, digest)
})

t.test('a test that needs a lock goes to the hosts that have it, or is left out', async t => {
  const needs = { host: [], guest: [], configuration: [] }
  const suite = suiteOf([{ id: 's/any' }, { id: 's/vlan', needs: { ...needs, locks: ['vlan-100'] } }])
  const none = plan(suite)
  t.equal(why(none, /^rhel5@rhel/, 's/vlan'), 'none of a, b has the lock vlan-100 (capacity: locks)')
  t.equal(why(none, /hyper-v/, 's/vlan'), 'the host hv has not the lock vlan-100 (capacity: locks)')
  const onlyB = labText.replace(
    'b: { product: rhel-kvm, version: "9.6", driver: static',
    '$&, capacity: { locks: [vlan-100] }',
  )
  const made = plan(suite, {}, onlyB)
  t.equal(why(made, /^rhel5@rhel/, 's/vlan'), undefined)
  t.same(made.environments[0]?.hosts, ['b'])
  t.same(made.environments[0]?.tests[2]?.locks, ['vlan-100'])
  t.same(plan(suite, { tests: ['any'] }, onlyB).environments[0]?.hosts, ['a', 'b'])
})

t.test('every environment that has a test is brought up first, and none that has not', async t => {
  const suite = suiteOf([{ id: 's/one' }])
  const [kvm, hyperV] = plan(suite).environments
  for (const environment of [kvm, hyperV]) {
    t.match(environment?.tests[0], {
      id: 'guestcert/boot',
      level: 'required',
      title: 'answers and lets us in',
      limitMs: 600_000,
    })
  }
  t.same(
    plan(suite).environments.map(({ id }) => id.split('@')[0]),
    ['rhel5', 'rhel5'],
    'the Windows guest, for which nothing is left, is not brought up for its own sake',
  )
  const started = plan(suite, {}, twoHosts)
  t.equal(started.environments[0]?.tests[0]?.title, 'boots, answers and lets us in')
})

t.test(
  'of a VM that the lab only lends, tests use what the lab allows by name, and nothing else',
  async t => {
    const lentLab = (said: string, clean = 'none'): string => `
lab: lent
hosts:
  kvm: { product: rhel-kvm, version: "9.6", driver: libvirt, connect: { ssh: root@kvm, key: agent } }
guests:
  deb:
    product: debian
    version: "12"
    arch: x86_64
    ${said}
    login: { user: root, key: agent }
    on: { kvm: { vm: theirs, clean: ${clean}, configuration: { vcpus: 2, memory: 2GiB } } }
suites: [builtin]
`
    const needs = (
      host: SuiteTest['needs']['host'],
      guest: SuiteTest['needs']['guest'] = [],
    ): SuiteTest['needs'] => ({
      ...plain.needs,
      host,
      guest,
    })
    const tests = suiteOf([
      { id: 's/looks' },
      { id: 's/pauses', needs: needs(['pause']) },
      { id: 's/snapshots', needs: needs(['snapshot', 'revert']) },
      { id: 's/reboots', needs: needs([], ['reboot']) },
      { id: 's/alters', isolation: 'alters-guest' },
      { id: 's/alone', isolation: 'own-instance', needs: needs(['pause']) },
    ])
    const abilities = ['pause', 'snapshot', 'revert']
    const run = (said: string, clean?: string): string[] =>
      plan(tests, {}, lentLab(said, clean), abilities)
        .environments[0]?.tests.map(({ id }) => id)
        .slice(1) ?? []
    t.same(run(''), ['s/looks'])
    t.same(run('allow: [pause]'), ['s/looks', 's/pauses'])
    t.same(run('reboot: true'), ['s/looks', 's/reboots'])
    t.same(run('allow: [revert, snapshot, alters-guest]'), ['s/looks', 's/snapshots', 's/alters'])
    t.same(run('allow: [own-instance, pause]'), ['s/looks', 's/pauses', 's/alone'])
    t.equal(run('', '{ snapshot: sealed }').length, 6, 'a VM with a clean state is not only lent')
    const made = plan(tests, {}, lentLab('allow: [pause]'), abilities)
    t.equal(
      why(made, /debian|deb/, 's/snapshots'),
      'the lab only lends this VM (clean: none) and does not allow snapshot, revert (allow: [snapshot, revert])',
    )
    t.match(why(made, /deb/, 's/reboots'), /does not say that it may be rebooted \(reboot: true\)/)
    t.throws(() => plan(tests, {}, lentLab('allow: [jump]'), abilities), {
      message: /"jump": expected one of attach-disk, /,
    })
  },
)
