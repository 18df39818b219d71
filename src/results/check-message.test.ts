import t from 'tap'
import { describeCheck } from './check-message.js'

t.test('a failed check says what was found and what was expected', async t => {
  const name = "the guest's clock is within five seconds of the runner's"
  t.equal(
    describeCheck(name, 'got: 3599998 ms\nwanted: less than 5000 ms'),
    `not ok: ${name}: got 3599998 ms, expected less than 5000 ms`,
  )
  t.equal(describeCheck('two', "got: '3'\nwanted: '2 or less'"), 'not ok: two: got 3, expected 2 or less')
  t.equal(describeCheck('two', 'expected: 2\nactual: 3'), 'not ok: two: got 3, expected 2')
})

t.test('what is not said is not invented', async t => {
  t.equal(describeCheck('a'), 'not ok: a')
  t.equal(describeCheck('a', 'some words\nforgot: 3'), 'not ok: a')
  t.equal(describeCheck('a', 'got: 3'), 'not ok: a: got 3')
  t.equal(describeCheck(''), 'not ok: without a text')
})

t.test('an empty value is seen to be empty, and a long one is cut', async t => {
  t.equal(describeCheck('a', "got: ''\nwanted: ' '"), "not ok: a: got '', expected ' '")
  t.match(describeCheck('a', `got: ${'x'.repeat(500)}`), /^not ok: a: got x{100}…$/)
})

t.test('of a value of several lines the first is shown', async t => {
  t.equal(
    describeCheck('a', "got: |2\n    first\n    second\nwanted: 'b'"),
    'not ok: a: got first …, expected b',
  )
  t.equal(describeCheck('a', 'got: {\n  x: 1 }\nwanted: 2'), 'not ok: a: got { …, expected 2')
})
