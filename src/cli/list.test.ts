import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from '../../test/cli-io.js'

const cwd = await mkdtemp(join(tmpdir(), 'guestcert-list-'))
t.teardown(() => rm(cwd, { recursive: true }))

await mkdir(join(cwd, 'clock'))
await writeFile(join(cwd, 'clock/drift.sh'), 'exit 0\n')
await writeFile(
  join(cwd, 'clock/suite.yaml'),
  `suite: clock
version: 1.0.0
title: Clocks tell the time
applies: { guest: { family: [linux] } }
tests:
  - id: drift
    title: The clock keeps pace
    requirements: [GC-CLOCK-02]
    level: required
    script: drift.sh
    protocol: exit
    needs: { host: [pause] }
    proof: { passesOn: [debian-12], mutants: [clock-drifts] }
`,
)
await writeFile(
  join(cwd, 'lab.yaml'),
  `lab: small
hosts:
  kvm-1: { product: rhel-kvm, version: "9.6", driver: static, capacity: { guests: 2, memory: 4GiB } }
guests:
  old: { product: rhel, version: "5.11", arch: x86_64, emulated: rhel-5.11, on: { kvm-1: { configuration: { name: bios, firmware: bios, memory: 1GiB } } } }
suites: [./clock]
`,
)

async function listed(what: string): Promise<unknown> {
  const { code, stdout } = await guestcert(['list', what, 'lab.yaml', '--json'], { cwd })
  t.equal(code, 0)
  return JSON.parse(stdout)
}

t.test('tests are listed as programs expect them', async t => {
  const tests = await listed('tests')
  t.match(tests, [
    {
      suite: 'clock',
      id: 'drift',
      title: 'The clock keeps pace',
      level: 'required',
      requirements: ['GC-CLOCK-02'],
      applies: { suite: { guest: { family: ['linux'] } }, test: null },
      needs: { host: ['pause'] },
      protocol: 'exit',
      proof: { passesOn: ['debian-12'], mutants: ['clock-drifts'] },
    },
  ])
  t.equal((tests as unknown[]).length, 1)
})

t.test('requirements are listed with the tests that speak for them, and without any', async t => {
  const listed = await guestcert(['list', 'requirements', 'lab.yaml'], { cwd })
  t.match(listed.stdout, /^GC-CLOCK-02 +clock\/drift +The wall clock is right/m)
  t.match(listed.stdout, /^GC-DISK-01 +no test /m)
})

t.test('suites, guests and hosts are listed with what matters about them', async t => {
  t.match(await listed('suites'), [
    { suite: 'clock', version: '1.0.0', tests: ['drift'], digest: /^[0-9a-f]{64}$/ },
  ])
  t.match(await listed('guests'), [
    { id: 'old', product: 'rhel', version: '5.11', emulated: 'rhel-5.11', on: [{ host: 'kvm-1' }] },
  ])
  t.match(await listed('hosts'), [
    {
      id: 'kvm-1',
      product: 'rhel-kvm',
      capacity: { guests: 2, vcpus: null, memoryBytes: 2 ** 32 },
      guests: ['old'],
    },
  ])
})

t.test('people get a table', async t => {
  const { stdout } = await guestcert(['list', 'guests', 'lab.yaml'], { cwd })
  t.equal(
    stdout,
    [
      'GUEST  PRODUCT               ARCH    SHELL  ON',
      'old    rhel 5.11 (emulated)  x86_64  posix  kvm-1 (bios)',
      '',
    ].join('\n'),
  )
})

t.test('products need no lab, guests do', async t => {
  t.match(await guestcert(['list', 'products']), {
    code: 0,
    stdout: /hyper-v +hypervisor +Windows Server with Hyper-V/,
  })
  t.match(await guestcert(['list', 'guests']), { code: 2, stderr: /a lab is required/ })
})

t.test('mistakes in the lab come out with their places', async t => {
  await writeFile(join(cwd, 'bad.yaml'), 'lab: small\nhosts: {}\nguest: {}\nsuites: [builtin]\n')
  const { code, stderr } = await guestcert(['list', 'hosts', 'bad.yaml'], { cwd })
  t.equal(code, 2)
  t.match(stderr, /bad\.yaml:3:1: /)
})
