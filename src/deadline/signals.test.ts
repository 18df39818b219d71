import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { deadlineSignal } from './deadline.js'
import { anyOf, onAbort, untilAborted } from './signals.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

t.test('a limit aborts, also after garbage was collected', async t => {
  const { signal, isReached, clear } = deadlineSignal({ name: 'boot', ms: 50, where: 'g' })
  const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
  collectGarbage()
  await aborted
  t.ok(isReached())
  clear()
})

t.test('the signal that it was made from comes through, with its reason', async t => {
  const controller = new AbortController()
  const limit = { name: 'boot', ms: 60_000, where: 'g', signal: controller.signal }
  const { signal, isReached, clear } = deadlineSignal(limit)
  controller.abort(new Error('why'))
  t.match(signal.reason, { message: 'why' })
  t.notOk(isReached())
  clear()
  const late = deadlineSignal(limit)
  t.ok(late.signal.aborted, 'also when it had come before')
  late.clear()
})

t.test('waiting ends with the time or with any signal', async t => {
  const [one, two] = [new AbortController(), new AbortController()]
  const startedAt = performance.now()
  await untilAborted(20, one.signal)
  const waiting = untilAborted(60_000, one.signal, two.signal)
  two.abort()
  await waiting
  await untilAborted(60_000, two.signal)
  t.ok(performance.now() - startedAt < 30_000)
})

t.test('what was taken back is not called', async t => {
  const controller = new AbortController()
  onAbort(controller.signal, () => t.fail('called'))()
  onAbort(undefined, () => t.fail('called'))()
  controller.abort()
  t.pass('nothing was called')
})

t.test('any of several signals ends it, with that one’s reason, until it is let go', async t => {
  const [one, other] = [new AbortController(), new AbortController()]
  const { signal } = anyOf(one.signal, other.signal)
  other.abort(new Error('second'))
  one.abort(new Error('first'))
  t.match(signal.reason, { message: 'second' })
  t.ok(anyOf(one.signal).signal.aborted, 'at once when it has come already')
  const third = new AbortController()
  const left = anyOf(third.signal)
  left.clear()
  third.abort()
  t.notOk(left.signal.aborted)
})
