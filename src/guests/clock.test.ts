import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Machine } from '../remote/machine.js'
import { readClock } from './clock.js'

const never = new AbortController().signal
const readings = { least: 5, goodMs: 19, most: 12, longestMs: 60_000 }

/** A guest that answers the first so many questions late. */
function guest(
  late: number,
  print = (ms: number) => `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}000000`,
) {
  let asked = 0
  const machine = {
    label: 'g',
    run: async () => {
      asked += 1
      const text = print(Date.now())
      if (asked <= late) await wait(40)
      return { exit: { kind: 'code', code: 0 }, stdout: { text: `${text}\n` }, stderr: { text: '' } }
    },
  } as unknown as Machine
  return { machine, asked: () => asked }
}

t.test('a clock is read again while no answer was quick', async t => {
  const busy = guest(7)
  const { uncertaintyMs } = await readClock(busy.machine, never, readings)
  t.equal(busy.asked(), 8, 'until one was')
  t.ok(uncertaintyMs < 20)
  const quick = guest(0)
  await readClock(quick.machine, never, readings)
  t.equal(quick.asked(), 5)
  const slow = guest(1000)
  await readClock(slow.machine, never, readings)
  t.equal(slow.asked(), 12, 'so often at most')
  const late = guest(1000)
  await readClock(late.machine, never, { ...readings, longestMs: 1 })
  t.equal(late.asked(), 5, 'and not when it takes too long')
})

t.test('a guest that shows whole seconds is not asked more often: it would be no better', async t => {
  const { machine, asked } = guest(0, ms => `${Math.floor(ms / 1000)}.N`)
  const { uncertaintyMs } = await readClock(machine, never, readings)
  t.equal(asked(), 5)
  t.ok(uncertaintyMs >= 500)
})
