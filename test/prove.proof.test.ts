import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { prove, provesEach } from './prove.js'

for (const { suite, args, atLeast } of [
  { suite: 'core', args: [], atLeast: { personas: 6, tests: 12 } },
  { suite: 'windows', args: ['--parallel', '4'], atLeast: { personas: 9, tests: 15 } },
  // Most of its guests do nothing most of the time: they stand still, or something is waited for in vain.
  { suite: 'lifecycle', args: ['--parallel', '12'], atLeast: { personas: 2, tests: 6 } },
]) {
  t.test(`each test of ${suite} passes on every persona, and fails on each of its mutants`, async t => {
    const { personas, tests } = provesEach(
      t,
      await prove([join(packageRoot, 'suites', suite), ...args, '--json']),
    )
    t.ok(personas.length >= atLeast.personas, `the claims speak of ${personas.join(', ')}`)
    t.ok(tests.length >= atLeast.tests, `and of ${tests.length} tests`)
  })
}
