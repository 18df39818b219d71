import t from 'tap'
import { defaultLimits } from '../config/limits.js'
import { loadRequirements } from '../config/requirements.js'
import { bootTest } from './boot.js'
import { loadSuites } from './suites.js'

t.test('every requirement that a shipped test names stands in requirements/', async t => {
  const known = await loadRequirements()
  const suites = await loadSuites(['builtin'], null)
  const boot = bootTest({ startsGuest: true, family: 'linux', limits: defaultLimits })
  const named = [boot, ...suites.flatMap(suite => suite.tests)].flatMap(test => test.requirements)
  t.ok(named.length > 30)
  t.same(
    named.filter(id => !known.has(id)),
    [],
  )
})
