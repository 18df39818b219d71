import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { guestcertProcess } from './cli-process.js'

const suites = join(packageRoot, 'suites')
const limitMs = 240_000

// Ninety guests share the cores with whatever else is tested: some of them are meant to keep the test waiting.
t.setTimeout(3 * limitMs)

interface Finding {
  readonly test: string
  readonly persona: string
  readonly mutant?: string
  readonly holds: boolean
  readonly verdict: string
  readonly reason: string
}

interface Proof {
  readonly findings: readonly Finding[]
  readonly unproven: readonly string[]
}

async function prove(args: readonly string[]): Promise<{ code: number | undefined; stdout: string }> {
  const [program, ...first] = guestcertProcess
  const { exitCode, stdout } = await execa(program, [...first, 'prove', ...args], {
    cwd: packageRoot,
    reject: false,
    timeout: limitMs,
    stdin: 'ignore',
    stderr: 'inherit',
  })
  return { code: exitCode, stdout }
}

for (const { suite, args, atLeast } of [
  { suite: 'core', args: [], atLeast: { personas: 6, tests: 12 } },
  // Most of its guests do nothing most of the time: they stand still, or something is waited for in vain.
  { suite: 'lifecycle', args: ['--parallel', '12'], atLeast: { personas: 2, tests: 6 } },
]) {
  t.test(`each test of ${suite} passes on every persona, and fails on each of its mutants`, async t => {
    const { code, stdout } = await prove([join(suites, suite), ...args, '--json'])
    const { findings, unproven } = JSON.parse(stdout) as Proof
    t.same(
      findings.filter(({ holds }) => !holds),
      [],
      'every claim holds',
    )
    t.same(unproven, [], 'no test is without a proof')
    t.equal(code, 0)

    const personas = new Set(findings.map(({ persona }) => persona))
    t.ok(personas.size >= atLeast.personas, `the claims speak of ${[...personas].join(', ')}`)
    const tests = new Set(findings.map(({ test }) => test))
    t.ok(tests.size >= atLeast.tests, `and of ${tests.size} tests`)
    for (const test of tests) {
      const own = findings.filter(finding => finding.test === test)
      t.ok(
        own.some(({ mutant, verdict }) => mutant !== undefined && verdict === 'fail'),
        `${test} was seen to fail`,
      )
    }
  })
}

const manifest = `suite: hollow
version: 1.0.0
title: Tests that prove nothing
applies: { guest: { family: linux } }
tests:
  - id: always
    title: Holds whatever the guest is like
    why: To see that it is found out.
    requirements: [TEST-01]
    level: required
    script: always.sh
    protocol: tap
    limit: 30s
    proof: { passesOn: [debian-12], mutants: [clock-off] }
  - id: never
    title: Fails even where nothing is wrong
    why: To see that it is found out.
    requirements: [TEST-02]
    level: required
    script: never.sh
    protocol: tap
    limit: 30s
    proof: { passesOn: [debian-12], mutants: [clock-off] }
  - id: silent
    title: Names nothing that it fails on
    why: To see that it is found out.
    requirements: [TEST-03]
    level: required
    script: always.sh
    protocol: tap
    limit: 30s
`

t.test('a test that cannot fail, cannot pass or names no proof is unproven', async t => {
  const folder = t.testdir({
    hollow: {
      'suite.yaml': manifest,
      'always.sh': '#!/bin/sh\n. "$GUESTCERT/tap.sh"\nok "nothing was looked at"\ndone_testing\n',
      'never.sh': '#!/bin/sh\n. "$GUESTCERT/tap.sh"\nis a b "nothing was looked at"\ndone_testing\n',
    },
  })
  const { code, stdout } = await prove([join(folder, 'hollow')])
  t.equal(code, 1)
  t.match(stdout, /^UNPROVEN +hollow\/always\b/m)
  t.match(stdout, /debian-12 \+ clock-off: pass, expected fail/)
  t.match(stdout, /^UNPROVEN +hollow\/never\b/m)
  t.match(stdout, /debian-12: fail, expected pass/)
  t.match(stdout, /^UNPROVEN +hollow\/silent\b.*names no proof/m)
  t.match(stdout, /^2 of 4 claims hold$/m)
})
