import { join } from 'node:path'
import t from 'tap'
import { prove, provesEach } from './prove.js'

// Every test of every suite is proven by "npm run prove".
t.test('a test of each suite passes on its personas and fails on its mutants', async t => {
  const few = ['core/taint', 'lifecycle/snapshot']
  const proved = await prove(['--json', ...few.flatMap(test => ['--test', test])])
  const { personas, tests } = provesEach(t, proved)
  t.same([...tests].sort(), few)
  t.ok(personas.length >= few.length, personas.join(', '))
})

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
  - id: thrown
    title: Fails on its mutant by what the guest does, with no check of its own
    why: To see that it is found out.
    requirements: [TEST-04]
    level: required
    module: thrown.mjs
    needs: { guest: [reboot] }
    limit: 5m
    proof: { passesOn: [debian-12], mutants: [lying-reboot] }
`

const thrown = `import { test } from 'guestcert/api'
export default test(async ({ guest, expect }) => {
  const { before, after } = await guest.reboot()
  expect(after).not.toBe(before, 'the boot identity has changed')
})
`

t.test('a test that cannot fail, cannot pass, fails by no check or names no proof is unproven', async t => {
  const folder = t.testdir({
    hollow: {
      'suite.yaml': manifest,
      'always.sh': '#!/bin/sh\n. "$GUESTCERT/tap.sh"\nok "nothing was looked at"\ndone_testing\n',
      'never.sh': '#!/bin/sh\n. "$GUESTCERT/tap.sh"\nis a b "nothing was looked at"\ndone_testing\n',
      'thrown.mjs': thrown,
    },
  })
  const { code, stdout } = await prove([join(folder, 'hollow')])
  t.equal(code, 1)
  t.match(stdout, /^UNPROVEN +hollow\/always\b/m)
  t.match(stdout, /debian-12 \+ clock-off: pass, expected a failed check of its own/)
  t.match(stdout, /^UNPROVEN +hollow\/never\b/m)
  t.match(stdout, /debian-12: fail, expected pass/)
  t.match(stdout, /^UNPROVEN +hollow\/silent\b.*declares no proof/m)
  t.match(stdout, /^UNPROVEN +hollow\/thrown\b/m)
  t.match(
    stdout,
    /debian-12 \+ lying-reboot: fail, expected a failed check of its own: .*no reboot was seen within the limit/,
  )
  t.match(stdout, /^3 of 6 claims hold$/m)
})
