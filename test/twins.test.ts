import t from 'tap'
import type { EventBody, JournalEvent } from '../src/journal/events.js'
import { differences, seenIn } from './twins.js'

function journal(environment: string, bodies: readonly Partial<EventBody>[]): JournalEvent[] {
  return bodies.map(
    (body, seq) =>
      ({ v: 1, seq, epoch: 1, at: '', ms: 0, environment, test: 'a/b', attempt: 1, ...body }) as JournalEvent,
  )
}
const check = (text: string, state: 'ok' | 'not-ok' = 'ok', attempt = 1): Partial<EventBody> => ({
  type: 'check',
  text,
  state,
  attempt,
})
const end = (verdict: 'pass' | 'fail' | 'error', attempt = 1, final = true): Partial<EventBody> => ({
  type: 'test-ended',
  verdict,
  attempt,
  final,
})
const compare = (one: readonly Partial<EventBody>[], other: readonly Partial<EventBody>[]): string[] => {
  const events = [...journal('one@x/y', one), ...journal('two@x/y', other)]
  const of = (name: string): ReturnType<typeof seenIn> => seenIn(events, id => id.startsWith(`${name}@`))
  return differences(of('one'), of('two'))
}

t.test('the same checks in the same order are the same, whatever was measured', async t => {
  t.same(compare([check('x'), check('y'), end('pass')], [check('x'), check('y'), end('pass')]), [])
})

t.test('what differs is told, check by check', async t => {
  t.same(compare([check('x'), end('pass')], [check('x', 'not-ok'), end('fail')]), [
    'a/b: original pass, copy fail',
    'a/b, check 1: original "ok: x", copy "not-ok: x"',
  ])
  t.same(compare([check('x'), check('y'), end('pass')], [check('y'), check('x'), end('pass')]).length, 2)
  t.same(compare([check('x'), check('y'), end('pass')], [check('x'), end('pass')]), [
    'a/b, check 2: original "ok: y", copy "no check"',
  ])
  t.same(compare([check('x'), end('pass')], []), ['a/b: ran on the original alone'])
})

t.test('the last attempt counts', async t => {
  const twice = [check('x', 'ok'), end('error', 1, false), check('x', 'ok', 2), end('pass', 2)]
  t.same(compare(twice, [check('x'), end('pass')]), [])
})
