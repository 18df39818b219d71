/** Personas and mutants of a lab's own, in runs and in proofs. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { guestcertProcess } from './cli-process.js'

const lab = `lab: own-personas
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static, emulated: rhel-9-kvm } }
guests:
  appliance:
    product: debian
    version: "12"
    arch: x86_64
    emulated: appliance
    on: { here: { configuration: {} } }
suites: [./own]
`
const appliance = `persona: appliance
kind: guest
title: An appliance made of Debian 12
extends: debian-12
files:
  /etc/appliance: { from: assumed, text: "valve=open\\n" }
`
const shut = `persona: shut
kind: mutant
title: whose valve is shut
files:
  /etc/appliance: { from: mutant, text: "valve=shut\\n" }
`
const manifest = `suite: own
version: 1.0.0
title: Tests of the appliance
tests:
  - id: valve
    title: The valve is open
    why: Nothing flows otherwise.
    requirements: [OWN-1]
    level: required
    script: valve.sh
    protocol: tap
    proof: { passesOn: [appliance], mutants: [shut] }
`
const script = `#!/bin/sh
. "$GUESTCERT/tap.sh"
is "$(cat /etc/appliance)" valve=open "the valve is open"
done_testing
`

interface Ended {
  readonly exitCode?: number | undefined
  readonly stdout: string
  readonly stderr: string
}

function labFolder(t: Test): { folder: string; run: (...args: string[]) => Promise<Ended> } {
  const folder = t.testdir({
    'lab.yaml': lab,
    personas: { 'appliance.yaml': appliance, mutants: { 'shut.yaml': shut } },
    own: { 'suite.yaml': manifest, 'valve.sh': script },
  })
  const [program, ...first] = guestcertProcess
  const run = (...args: string[]): Promise<Ended> =>
    execa(program, [...first, ...args], { cwd: folder, reject: false, stdin: 'ignore' })
  return { folder, run }
}

t.test('a lab runs on a persona that stands beside it', async t => {
  const { run } = labFolder(t)
  const { exitCode, stdout, stderr } = await run('run', 'lab.yaml')
  t.equal(exitCode, 0, stdout + stderr)
  t.match(stdout, /pass.*own\/valve/)
})

t.test('a suite is proven on personas and mutants of its own', async t => {
  const { run } = labFolder(t)
  const { exitCode, stdout, stderr } = await run('prove', 'own', '--lab', 'lab.yaml')
  t.equal(exitCode, 0, stdout + stderr)
  t.match(stdout, /^proven +own\/valve +passes on 1 personas, fails on shut$/m)
  t.match(stdout, /^2 of 2 claims hold$/m)
})

t.test('mutants beside the suites are laid over guests that ship', async t => {
  const folder = t.testdir({
    tests: {
      personas: { mutants: { 'shut.yaml': shut } },
      own: {
        'suite.yaml': manifest.replace('[appliance]', '[debian-12]'),
        'valve.sh': script.replace('cat /etc/appliance', 'cat /etc/appliance 2>/dev/null || echo valve=open'),
      },
    },
  })
  const [program, ...first] = guestcertProcess
  const { exitCode, stdout, stderr } = await execa(program, [...first, 'prove', 'tests'], {
    cwd: folder,
    reject: false,
    stdin: 'ignore',
  })
  t.equal(exitCode, 0, stdout + stderr)
  t.match(stdout, /^2 of 2 claims hold$/m)
})

t.test('a mistake in such a persona has its place, and nothing runs', async t => {
  const { folder, run } = labFolder(t)
  await writeFile(
    join(folder, 'personas/appliance.yaml'),
    appliance.replace('from: assumed', 'form: assumed'),
  )
  const { exitCode, stderr } = await run('run', 'lab.yaml')
  t.equal(exitCode, 2, stderr)
  t.match(stderr, /personas\/appliance\.yaml:6:\d+: /)
})

t.test('a fault that does not exist ends the plan', async t => {
  const { folder, run } = labFolder(t)
  const faulty = lab.replace(
    'emulated: appliance',
    'emulated: appliance\n    faults: { hangs: { command: x } }',
  )
  await writeFile(join(folder, 'lab.yaml'), faulty)
  const { exitCode, stdout, stderr } = await run('plan', 'lab.yaml')
  t.equal(exitCode, 2)
  t.equal(stdout, '')
  t.match(stderr, /^\S*lab\.yaml:9:15: unknown key "hangs": did you mean "hang"\?$/)
})
