import { join } from 'node:path'
import t, { type Test } from 'tap'
import { driverSource } from '../hypervisors/registry.js'
import { ConfigError } from './errors.js'
import { loadLab } from './load.js'

interface Written {
  readonly host?: string
  readonly guest?: string
  readonly personas?: Readonly<Record<string, string>>
}

/** What is wrong with a lab of an emulated guest on an emulated host: `line:column: message` of each mistake. */
async function mistakesIn(
  t: Test,
  { host = 'rhel-9-kvm', guest = 'debian-12', personas }: Written,
): Promise<string[]> {
  const folder = t.testdir({
    'lab.yaml': `lab: l
hosts:
  h: { product: rhel-kvm, version: "9.6", driver: libvirt, capacity: { guests: 1 }, emulated: ${host} }
guests:
  g:
    product: debian
    version: "12"
    arch: x86_64
    emulated: ${guest}
    on: { h: { vm: g, clean: { snapshot: clean }, configuration: {} } }
suites: [builtin]
`,
    ...(personas === undefined ? {} : { personas }),
  })
  try {
    await loadLab(join(folder, 'lab.yaml'), driverSource)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.mistakes.map(({ place, message }) => `${place.line}:${place.column}: ${message}`)
  }
}

t.test('what ships may be named, with mutants', async t => {
  t.same(await mistakesIn(t, {}), [])
  t.same(await mistakesIn(t, { guest: 'rhel-5.11+clock-off+half-memory' }), [])
  t.same(await mistakesIn(t, { guest: 'windows-2022+unsigned-driver' }), [], 'as the Windows family has it')
})

t.test('a name that is not known has its place and the nearest one', async t => {
  t.same(await mistakesIn(t, { guest: 'debian-21' }), [
    '9:15: unknown persona "debian-21": did you mean "debian-12"?',
  ])
  t.same(await mistakesIn(t, { guest: 'debian-12+clockoff' }), [
    '9:15: unknown mutant "clockoff": did you mean "clock-off"?',
  ])
  t.same(await mistakesIn(t, { host: 'rhel9-kvm' }), [
    '3:95: unknown persona "rhel9-kvm": did you mean "rhel-9-kvm"?',
  ])
  t.match(await mistakesIn(t, { host: 'nothing-like-it' }), [
    /^3:95: unknown persona "nothing-like-it": known: .*xen-4\.17/,
  ])
})

t.test('a persona of a host is none of a guest', async t => {
  t.match(await mistakesIn(t, { guest: 'xen-4.17' }), [/^9:15: unknown persona "xen-4\.17"/])
})

t.test("a lab's own personas stand beside it", async t => {
  const personas = { 'ours.yaml': '', 'mutants.yaml': '' }
  t.same(await mistakesIn(t, { guest: 'ours', personas }), [])
  t.same(await mistakesIn(t, { guest: 'our', personas }), [
    '9:15: unknown persona "our": did you mean "ours"?',
  ])
  t.same(await mistakesIn(t, { guest: 'personas/ours.yaml', personas }), [], 'by its file')
  t.match(await mistakesIn(t, { guest: './personas/theirs.yaml', personas }), [
    /^9:15: no persona \/.*\/personas\/theirs\.yaml: there is no such file$/,
  ])
})

t.test('what is wrong with faults has its place', async t => {
  const faulty = (faults: string): Promise<string[]> =>
    mistakesIn(t, { guest: `debian-12\n    faults: ${faults}` })
  t.same(
    await faulty('{ slowBoot: { ms: 10 }, hang: { command: "^x", at: start }, refusedLogin: { times: 1 } }'),
    [],
  )
  t.same(await faulty('{ hangs: { command: x } }'), ['10:15: unknown key "hangs": did you mean "hang"?'])
  t.same(await faulty('{ hang: { comand: x } }'), [
    '10:21: "command" is missing: expected a text',
    '10:23: unknown key "comand": did you mean "command"?',
  ])
  t.match(await faulty('{ hang: { command: x, at: begin } }'), [
    /^10:39: at: "begin": expected one of start, end, program/,
  ])
  t.same(await faulty('{ hang: { command: "(" } }'), ['10:32: command: "(": expected a regular expression'])
  t.same(await faulty('{ drop: { command: x } }'), ['10:21: drop: expected "afterBytes" or "afterOutput"'])
  t.same(await faulty('{ drop: { afterBytes: 1, afterOutput: x } }'), [
    '10:21: drop: expected only one of "afterBytes" or "afterOutput"',
  ])
  t.match(await faulty('{ slowBoot: { ms: soon } }'), [/^10:31: ms: "soon": expected a number/])
})

t.test('hosts have faults of their own', async t => {
  t.same(await mistakesIn(t, { host: 'rhel-9-kvm, faults: { slow: { ms: 10 } }' }), [])
  t.match(await mistakesIn(t, { host: 'rhel-9-kvm, faults: { slowBoot: { ms: 10 } }' }), [
    /unknown key "slowBoot"/,
  ])
})
