import t from 'tap'
import { ConfigError, UsageError } from '../config/errors.js'
import { labOf } from '../config/load.js'
import { parseYaml } from '../config/yaml.js'
import { builtinCatalog } from '../hypervisors/registry.js'
import { makePlan } from './build.js'
import { everything } from './choice.js'
import type { Suite } from './suite.js'
import type { Plan } from './types.js'

const reserved = 'reserved: { by: alice, until: 2026-12-24, why: "RHEL 9.6 pass" }'
const labText = (a: string, b: string, c = ''): string => `lab: shared
hosts:
  a: { product: rhel-kvm, version: "9.6", driver: static, ${a} }
  b: { product: rhel-kvm, version: "9.6", driver: static, ${b} }
  c: { product: hyper-v, version: "2008", driver: static, ${c} }
guests:
  rhel5:
    product: rhel
    version: "5.11"
    arch: x86_64
    login: { user: root, key: agent }
    on:
      a: { address: 10.0.0.1, configuration: { name: std } }
      b: { address: 10.0.0.2, configuration: { name: std } }
      c: { address: 10.0.0.3, configuration: { name: std } }
suites: [builtin]
`
const suite: Suite = {
  id: 's',
  version: '1.0.0',
  title: 'S',
  folder: '/s',
  manifest: 's/suite.yaml',
  digest: 'd',
  applies: null,
  files: [],
  compiled: new Map(),
  tests: [
    {
      id: 's/one',
      title: 'One',
      why: null,
      requirements: ['S-1'],
      level: 'required',
      tags: [],
      protocol: 'tap',
      file: 'one.sh',
      line: 1,
      limitMs: null,
      isolation: 'shared',
      applies: null,
      needs: { guest: [], host: [], configuration: [], locks: [] },
      after: [],
      measures: {},
      proof: null,
    },
  ],
} as unknown as Suite

function plan(text: string, who: string, now = '2026-12-01T00:00:00Z'): Plan {
  const lab = labOf(parseYaml('lab.yaml', text), builtinCatalog)
  return makePlan(lab, [suite], everything, () => new Set(), { who, nowMs: Date.parse(now) })
}

const hosts = ({ environments }: Plan): string[][] => environments.map(each => [...each.hosts])

t.test('a host that somebody else has reserved is left to him: its environments go elsewhere', async t => {
  const one = plan(labText(reserved, ''), 'bob')
  t.same(hosts(one), [['b'], ['c']])
  t.notOk(one.reserved)
  t.equal(one.digest, plan(labText('', ''), 'bob').digest, 'the plan is the same as without it')
})

t.test('where no host is left, the environment is left out, with the reason', async t => {
  const both = plan(labText(reserved, reserved), 'bob')
  t.same(hosts(both), [['c']])
  t.match(both.reserved, [
    {
      id: 'rhel5@rhel-kvm-9.6/std',
      why: /host a is reserved by alice until 2026-12-25T00:00:00.000Z \(RHEL 9.6 pass\), and you are bob; .*host b/,
    },
  ])
  t.throws(() => plan(labText(reserved, reserved, reserved), 'bob'), {
    constructor: UsageError,
    message: /nothing is left to run: the host a is reserved by alice/,
  })
})

t.test('it holds for others alone, and until it ends', async t => {
  t.same(hosts(plan(labText(reserved, reserved), 'alice')), [['a', 'b'], ['c']])
  t.same(hosts(plan(labText(reserved, ''), 'bob', '2026-12-24T23:59:59Z')), [['b'], ['c']])
  t.same(hosts(plan(labText(reserved, ''), 'bob', '2026-12-25T00:00:00Z')), [['a', 'b'], ['c']])
})

t.test('one that says no moment is refused at its place', async t => {
  t.throws(() => plan(labText(reserved.replace('2026-12-24', 'christmas'), ''), 'bob'), {
    constructor: ConfigError,
    message: /lab.yaml:3:\d+: .*expected a day such as "2026-12-24"/,
  })
})

t.test('a renewal that comes too late for its lease is refused', async t => {
  const text = labText('', '').replace(
    'hosts:',
    'defaults: { limits: { lease: 30s, leaseRenewal: 20s } }\nhosts:',
  )
  t.throws(() => plan(text, 'bob'), {
    constructor: ConfigError,
    message: /leaseRenewal must be at most half/,
  })
})
