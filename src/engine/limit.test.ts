import t from 'tap'
import { InfraError } from '../config/errors.js'
import { limitSignal, withLimit } from './limit.js'

t.test('work that ends in time gives its value, and its timer is gone', async t => {
  t.equal(await withLimit({ name: 'boot', ms: 60_000, where: 'g' }, async () => 7), 7)
})

t.test('work that does not listen is given up, with the name of the limit', async t => {
  const error = await withLimit(
    { name: 'boot', ms: 20, where: 'g', cause: 'guest' },
    () => new Promise(() => {}),
  ).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  t.ok(error instanceof InfraError)
  t.match(error, {
    message: /g: the limit "boot" of 20 ms/,
    context: { cause: 'guest', code: 'limit', limit: 'boot' },
  })
})

t.test('an outer signal ends it with its own reason', async t => {
  const outer = new AbortController()
  const working = withLimit(
    { name: 'boot', ms: 60_000, where: 'g', signal: outer.signal },
    () => new Promise(() => {}),
  )
  outer.abort(new Error('interrupted'))
  await t.rejects(working, { message: 'interrupted' })
  await t.rejects(
    withLimit({ name: 'boot', ms: 60_000, where: 'g', signal: outer.signal }, async () => 7),
    { message: 'interrupted' },
    'also when it had aborted before',
  )
})

t.test('a limit of months does not fire at once', async t => {
  const { signal, clear } = limitSignal({ name: 'environment', ms: 2 ** 40, where: 'e' })
  await new Promise(resolve => setImmediate(resolve))
  t.notOk(signal.aborted)
  clear()
})
