import { join } from 'node:path'
import t from 'tap'
import { builtinCatalog, driverSource } from '../hypervisors/registry.js'
import { ConfigError } from './errors.js'
import { labOf, loadLab } from './load.js'
import { packageRoot } from './package-root.js'
import { parseYaml } from './yaml.js'

const inputs = join(packageRoot, 'fixtures/inputs')

/** The mistakes of a lab file, each as `line:column: message`. */
function mistakesOf(text: string): string[] {
  try {
    labOf(parseYaml('lab.yaml', text), builtinCatalog)
    return []
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.mistakes.map(({ place, message }) => `${place.line}:${place.column}: ${message}`)
    }
    throw error
  }
}

/** A sound lab, with pieces replaced. */
function lab(replaced: { host?: string; guest?: string; placement?: string; rest?: string } = {}): string {
  return [
    'lab: small',
    `hosts:\n  h: { ${replaced.host ?? 'product: none, version: "1", driver: static'} }`,
    'guests:',
    `  g: { product: debian, version: "12", arch: x86_64, ${replaced.guest ?? 'login: { user: root, key: agent }'}, on: { ${replaced.placement ?? 'h: { address: 127.0.0.1, configuration: {} }'} } }`,
    'suites: [builtin]',
    replaced.rest ?? '',
  ].join('\n')
}

t.test('the specimen of the architecture is a sound lab', async t => {
  const loaded = await loadLab(join(inputs, 'specimen-lab.yaml'), driverSource)
  t.equal(loaded.name, 'westford-3')
  t.equal(loaded.hosts.get('kvm-1')?.capacity.memoryBytes, 96 * 2 ** 30)
  t.same(loaded.hosts.get('kvm-1')?.connect?.endpoint, {
    host: 'kvm-1.lab.example',
    port: 22,
    jumps: ['bastion.lab.example'],
  })
  t.equal(loaded.guests.get('rhel5')?.on[0]?.configuration.name, 'gen1-ide-synthetic-1vcpu-1GiB')
  t.equal(loaded.guests.get('ws2008')?.family, 'windows')
  t.equal(loaded.limits.boot, 600_000)
})

t.test('every mistake of a file is reported at once, in the order of the file', async t => {
  const error = await loadLab(join(inputs, 'ten-mistakes.yaml'), driverSource).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  t.ok(error instanceof ConfigError)
  const lines = (error as ConfigError).mistakes.map(({ place }) => `${place.line}:${place.column}`)
  t.same(lines, ['1:6', '3:19', '3:31', '6:14', '7:14', '9:25', '14:11', '15:36', '17:60', '17:81', '18:9'])
})

t.test('a mistake says what stands there and what was expected', async t => {
  t.same(mistakesOf(lab({ host: 'product: hyperv, version: "2008", driver: static' })).length, 1)
  t.match(
    mistakesOf(lab({ host: 'product: hyperv, version: "2008", driver: static' }))[0],
    /did you mean "hyper-v"\?/,
  )
  t.match(mistakesOf(lab({ rest: 'suits: []' }))[0], /^7:1: unknown key "suits": did you mean "suites"\?/)
  t.match(mistakesOf(lab({ host: 'product: none, version: 5.10, driver: static' }))[0], /in quotes/)
})

t.test('a literal secret is refused and not repeated', async t => {
  const mistakes = mistakesOf(lab({ guest: 'login: { user: root, password: correct-horse }' }))
  t.equal(mistakes.length, 1)
  t.match(mistakes[0], /env:NAME/)
  t.notMatch(mistakes[0], /correct-horse/)
})

t.test('names that lead nowhere are mistakes', async t => {
  t.match(
    mistakesOf(lab({ placement: 'hh: { address: x, configuration: {} }' }))[0],
    /unknown host "hh": did you mean "h"\?/,
  )
  t.match(mistakesOf(lab({ placement: 'h: { configuration: {} }' }))[0], /expected its "address"/)
  t.match(mistakesOf(lab({ placement: 'h: { address: "a b", configuration: {} }' }))[0], /is not an address/)
  t.match(mistakesOf(lab({ guest: 'login: { user: root }' }))[0], /nothing to log in with/)
})

t.test('an emulated guest needs neither address nor login', async t => {
  const text = lab({ guest: 'emulated: debian-12', placement: 'h: { configuration: { vcpus: 2 } }' })
  t.same(mistakesOf(text), [])
  const login = labOf(parseYaml('lab.yaml', text), builtinCatalog).guests.get('g')?.login
  t.same(login?.key, { kind: 'image' })
  t.same(login?.hostKey, { kind: 'image' })
})

t.test('addresses are read with and without ports, also for IPv6', async t => {
  const endpoint = (address: string): unknown =>
    labOf(
      parseYaml('lab.yaml', lab({ placement: `h: { address: "${address}", configuration: {} }` })),
      builtinCatalog,
    ).guests.get('g')?.on[0]?.endpoint
  t.match(endpoint('example.org'), { host: 'example.org', port: 22 })
  t.match(endpoint('127.0.0.1:2222'), { host: '127.0.0.1', port: 2222 })
  t.match(endpoint('[::1]:2222'), { host: '::1', port: 2222 })
  t.match(endpoint('fe80::1'), { host: 'fe80::1', port: 22 })
})

t.test('what a parser would choke on is one line with a place', async t => {
  t.throws(() => parseYaml('lab.yaml', 'a: [1\nb: 2'), ConfigError)
  t.match(mistakesOf('lab: [1, 2]').length > 0, true)
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'].map(pair => [...pair])) {
    bomb.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`)
  }
  t.throws(() => parseYaml('lab.yaml', bomb.join('\n')), /refused: .*alias/i)
})

t.test('what a host can never give a guest is a mistake, with its place', async t => {
  const host =
    'product: rhel-kvm, version: "9.6", driver: static, capacity: { vcpus: 4, memory: 8GiB, locks: [vlan-100] }'
  const on = (more: string): string => lab({ host, placement: `h: { address: 127.0.0.1, ${more} }` })
  t.same(mistakesOf(on('locks: [vlan-100], configuration: { vcpus: 4, memory: 8GiB }')), [])
  t.match(mistakesOf(on('configuration: { vcpus: 5, memory: 16GiB }')), [
    /^5:\d+: vcpus: 5 is more than host "h" has: its capacity is 4$/,
    /^5:\d+: memory: 16GiB is more than host "h" has: its capacity is 8GiB$/,
  ])
  t.match(mistakesOf(on('configuration: { memory: 1GiB }')), [
    /^5:\d+: the capacity of host "h" counts vcpus: expected "vcpus" in the configuration$/,
  ])
  t.match(mistakesOf(on('locks: [vlan-10], configuration: { vcpus: 1, memory: 1GiB }')), [
    /^5:\d+: "vlan-10" is not a lock in the capacity of host "h": did you mean "vlan-100"\?$/,
  ])
})
