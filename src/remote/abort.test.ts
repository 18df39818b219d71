import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { anyOf, limited, onAbort, untilAborted } from './abort.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

t.test('a limit aborts, also after garbage was collected', async t => {
  const { signal, isReached, release } = limited(new AbortController().signal, 50)
  const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
  collectGarbage()
  await aborted
  t.ok(isReached())
  release()
})

t.test('the signal that it was made from comes through, with its reason', async t => {
  const controller = new AbortController()
  const { signal, isReached, release } = limited(controller.signal, 60_000)
  controller.abort(new Error('why'))
  t.match(signal.reason, { message: 'why' })
  t.notOk(isReached())
  release()
  const late = limited(controller.signal, 60_000)
  t.ok(late.signal.aborted, 'also when it had come before')
  late.release()
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
