import t from 'tap'
import { isAtLeast } from './versions.js'

t.test('versions are compared number by number', async t => {
  t.ok(isAtLeast('0.8.2', '0.8.2'))
  t.ok(isAtLeast('10.0', '9.6'))
  t.notOk(isAtLeast('0.8.2', '0.9.0'))
  t.ok(isAtLeast('7.0', '7.0.0'))
  t.notOk(isAtLeast('2.6.18', '2.6.28'))
})

t.test("what follows a kernel's numbers does not count", async t => {
  t.ok(isAtLeast('5.14.0-570.el9.x86_64', '5.14'))
  t.notOk(isAtLeast('2.6.18-398.el5', '6.0'))
})

t.test('a text without a number is older than any version', async t => {
  t.notOk(isAtLeast('', '0.1'))
})
