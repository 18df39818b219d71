import t from 'tap'
import { check } from './check.js'
import { suiteSchema } from './suite-schema.js'
import { parseYaml } from './yaml.js'

/** The mistakes of a manifest whose one test may run beside others and has this line in it. */
function mistakes(line: string, what = 'script: a.sh, protocol: tap'): string[] {
  const yaml = parseYaml(
    'suite.yaml',
    `suite: s
version: 1.0.0
title: A suite
tests:
  - { id: a, title: A test, requirements: [R-1], level: required, ${what}, parallel: true, ${line} }
`,
  )
  return check(yaml, suiteSchema).mistakes.map(({ message }) => message)
}

t.test('a script that disturbs nothing may run beside others', async t => {
  t.same(mistakes('isolation: shared, needs: { configuration: [vcpus] }'), [])
})

t.test('what needs the guest to itself may not', async t => {
  t.match(mistakes('limit: 1m', 'module: a.ts'), [/only a script/])
  t.match(mistakes('isolation: alters-guest'), [/"isolation: alters-guest" runs alone/])
  t.match(mistakes('isolation: own-instance'), [/"isolation: own-instance" runs alone/])
  t.match(mistakes('needs: { locks: [vlan] }'), [/or a lock, runs alone/])
})
