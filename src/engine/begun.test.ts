import t from 'tap'
import { InfraError } from '../config/errors.js'
import { Begun } from './begun.js'

const never = new AbortController().signal

t.test('what it made is found though nobody waited for it to the end', async t => {
  let finish = (_: string): void => {}
  const begun = new Begun(
    () =>
      new Promise<string>(resolve => {
        finish = resolve
      }),
  )
  void begun.begin(never)
  const settled = begun.settled(never)
  finish('half-made')
  t.equal(await settled, 'half-made')
})

t.test(
  'work that does not end is not waited for beyond the signal, and nothing is said of what it made',
  async t => {
    const begun = new Begun(() => new Promise<string>(() => {}))
    void begun.begin(never)
    const controller = new AbortController()
    const settled = begun.settled(controller.signal)
    controller.abort(new Error('the limit "undo" was reached'))
    await t.rejects(settled, /limit "undo"/)
  },
)

t.test('what never reached its host made nothing', async t => {
  for (const [code, neverReached] of [
    ['connect', true],
    ['authentication', true],
    ['lost', false],
    ['driver', false],
  ] as const) {
    const error = new InfraError('no', { cause: 'host', where: 'h', code })
    const begun = new Begun(() => Promise.reject(error))
    await t.rejects(begun.begin(never), error)
    t.equal(await begun.settled(never), null)
    t.equal(begun.neverReached(), neverReached, code)
  }
  t.equal(await new Begun(async () => 1).settled(never), null, 'nor did what was never begun')
})
