import t from 'tap'
import { InfraError } from '../config/errors.js'
import { deadlineSignal, inTime, withDeadline } from './deadline.js'

t.test('work that ends in time gives its value, and its timer is gone', async t => {
  t.equal(await withDeadline({ name: 'boot', ms: 60_000, where: 'g' }, async () => 7), 7)
})

t.test('work that does not listen is given up, with the name of the limit', async t => {
  const error = await withDeadline(
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
  const working = withDeadline(
    { name: 'boot', ms: 60_000, where: 'g', signal: outer.signal },
    () => new Promise(() => {}),
  )
  outer.abort(new Error('interrupted'))
  await t.rejects(working, { message: 'interrupted' })
  await t.rejects(
    withDeadline({ name: 'boot', ms: 60_000, where: 'g', signal: outer.signal }, async () => 7),
    { message: 'interrupted' },
    'also when it had aborted before',
  )
})

t.test('a limit of months does not fire at once', async t => {
  const { signal, clear } = deadlineSignal({ name: 'environment', ms: 2 ** 40, where: 'e' })
  await new Promise(resolve => setImmediate(resolve))
  t.notOk(signal.aborted)
  clear()
})

t.test('what is waited for is named, and the error may be another', async t => {
  const never = () => new Promise<never>(() => {})
  await t.rejects(withDeadline({ name: 'start', ms: 20, where: 'g', what: 'QEMU' }, never), {
    message: 'g: waited 20 ms for QEMU (limit: start)',
  })
  const error = (message: string): Error => new TypeError(message)
  await t.rejects(withDeadline({ name: 'report', ms: 20, where: 'it', error }, never), {
    name: 'TypeError',
    message: 'it: the limit "report" of 20 ms was reached',
  })
})

t.test('what still comes after the limit is given to whoever lets go of it', async t => {
  let open: (value: string) => void = () => {}
  const opening = new Promise<string>(resolve => {
    open = resolve
  })
  const given = new Promise<string>(resolve => {
    void withDeadline({ name: 'tcp', ms: 20, where: 'g' }, () => opening, resolve).catch(() => open('stream'))
  })
  t.equal(await given, 'stream')
})

t.test('a clock of its own measures the time', async t => {
  const acts: (() => void)[] = []
  let taken = 0
  const clock = {
    after: (_ms: number, act: () => void) => {
      acts.push(act)
      return () => {
        taken += 1
      }
    },
  }
  const working = withDeadline({ name: 'tcp', ms: 1, where: 'g', clock }, () => new Promise(() => {}))
  const late = inTime(new Promise(() => {}), 1, clock)
  for (const act of acts) {
    act()
  }
  await t.rejects(working, /limit "tcp"/)
  t.equal(await late, 'late')
  t.equal(await inTime(Promise.resolve(7), 60_000, clock), 7)
  t.equal(taken, 3)
})
