import { mock } from 'node:test'
import t from 'tap'
import { Stillness } from './stillness.js'

/** A clock and timers that stand until they are moved on. */
function fakeTime(): { now: () => number; advance: (ms: number) => void } {
  let nowMs = 0
  mock.timers.enable({ apis: ['setTimeout'] })
  return {
    now: () => nowMs,
    advance: ms => {
      for (let step = 0; step < ms; step += 1) {
        nowMs += 1
        mock.timers.tick(1)
      }
    },
  }
}

t.afterEach(() => mock.timers.reset())

t.test('time in which it is held does not count', async t => {
  const { now, advance } = fakeTime()
  const stillness = new Stillness(now)
  const acted: string[] = []
  stillness.after(100, () => acted.push('a hundred'))
  const cancel = stillness.after(100, () => acted.push('cancelled'))
  advance(60)
  const release = stillness.hold()
  const second = stillness.hold()
  t.equal(stillness.isHeld, true)
  stillness.after(10, () => acted.push('ten'))
  advance(10_000)
  t.same(acted, [], 'nothing while it is held')
  release()
  release()
  advance(10_000)
  t.same(acted, [], 'a hold that is released twice ends no other')
  second()
  t.equal(stillness.isHeld, false)
  cancel()
  advance(10)
  t.same(acted, ['ten'])
  advance(29)
  t.same(acted, ['ten'])
  advance(1)
  t.same(acted, ['ten', 'a hundred'])
})

t.test('what is taken back while it is held does not come', async t => {
  const { now, advance } = fakeTime()
  const stillness = new Stillness(now)
  const acted: string[] = []
  const cancel = stillness.after(10, () => acted.push('late'))
  const release = stillness.hold()
  advance(20)
  cancel()
  release()
  advance(20)
  t.same(acted, [])
})
