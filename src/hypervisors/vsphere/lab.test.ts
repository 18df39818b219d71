import t from 'tap'
import { labOf } from '../../config/load.js'
import type { Lab, Placement } from '../../config/model.js'
import { parseYaml } from '../../config/yaml.js'
import { builtinCatalog } from '../registry.js'
import { abilitiesOf } from './abilities.js'

const fingerprint = `SHA256:${Array.from({ length: 32 }, () => 'AB').join(':')}`
const whole = `api: https://vc.lab.example, user: "a@vsphere.local", password: env:PW, certificate: "${fingerprint}", host: esx-1`

function labWith(
  connect: string,
  { driver = 'vsphere', placement = 'clean: { overlay: sealed }' } = {},
): Lab {
  const text = `lab: v
hosts:
  a: { product: esxi, version: "7.0", driver: ${driver}, connect: { ${connect} } }
guests:
  rhel9:
    product: rhel
    version: "9.6"
    arch: x86_64
    login: { user: root, key: agent }
    on:
      a: { vm: rhel9, ${placement}, configuration: { vcpus: 2 } }
suites: [builtin]
`
  return labOf(parseYaml('/labs/lab.yaml', text), builtinCatalog)
}

t.test('a host of an API is read with its pinned certificate and the lowest TLS version', async t => {
  t.strictSame(labWith(`${whole}, tls: "1.0"`).hosts.get('a')?.api, {
    url: 'https://vc.lab.example',
    user: 'a@vsphere.local',
    password: { kind: 'env', name: 'PW' },
    certificate: 'ab'.repeat(32),
    tls: '1.0',
    host: 'esx-1',
  })
  t.match(labWith(whole).hosts.get('a'), { api: { tls: '1.2' }, connect: undefined })
})

t.test('what does not belong together is a mistake with its place', async t => {
  t.throws(() => labWith('ssh: root@a, key: agent'), {
    message: /lab\.yaml:3:\d+: the driver vsphere connects by "api": "ssh" does not belong here/,
  })
  t.throws(() => labWith(whole, { driver: 'libvirt' }), {
    message: /the driver libvirt connects by "ssh": "api" does not belong here/,
  })
  t.throws(() => labWith('api: https://vc, user: a, password: env:PW'), {
    message: /"api" needs "user", "password" and "certificate"/,
  })
  t.throws(() => labWith(whole.replace('https:', 'http:')), { message: /expected the address of a server/ })
  t.throws(() => labWith(whole.replace('AB:', 'A:')), { message: /64 hexadecimal digits/ })
  t.throws(() => labWith(whole, { placement: 'via: host' }), { message: /no login to its hosts/ })
})

t.test('a linked clone is of a snapshot, whose name is not a path', async t => {
  t.match(labWith(whole).guests.get('rhel9')?.on[0]?.clean, { kind: 'overlay', path: 'sealed' })
})

t.test('what product, version and placement cannot do is not offered', async t => {
  const host = labWith(whole).hosts.get('a')
  const [placement] = labWith(whole).guests.get('rhel9')?.on ?? []
  const offered = (version: string, change: Partial<Placement> = {}): readonly string[] =>
    host === undefined || placement === undefined
      ? []
      : [
          ...abilitiesOf({
            host: { ...host, version },
            placement: { ...placement, ...change },
            second: undefined,
          }),
        ]
  t.ok(offered('6.0').includes('nmi'))
  t.notOk(offered('5.5').includes('nmi'))
  t.ok(offered('6.0').includes('attach-disk'))
  t.notOk(offered('6.0', { clean: { kind: 'snapshot', name: 'sealed' } }).includes('attach-disk'))
  t.notOk(offered('6.0', { configuration: { name: 'x', tools: 'none' } }).includes('stop'))
  for (const never of ['set-vcpus', 'set-memory', 'console', 'migrate']) {
    t.notOk(offered('8.0').includes(never), never)
  }
})
