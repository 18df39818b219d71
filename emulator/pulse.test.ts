import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { Pulse } from './pulse.js'

t.jobs = 4
const aWhileMs = 300
const haltMs = 400

/** Plans one thing, halts in the middle of waiting for it, and goes on later. */
async function halted(clocks: 'stopped' | 'running') {
  const pulse = new Pulse(clocks)
  let done = false
  let going = false
  pulse.after(aWhileMs, () => {
    done = true
  })
  const before = pulse.nowNs()
  pulse.halt()
  void pulse.going().then(() => {
    going = true
  })
  await wait(haltMs)
  const seen = { done, going }
  const passedMs = Number(pulse.nowNs() - before) / 1e6
  pulse.goOn()
  await pulse.going()
  return { pulse, seen, passedMs, isDone: () => done }
}

t.test('nothing happens while it is halted, and stopped clocks stand', { buffered: true }, async t => {
  const { pulse, seen, passedMs, isDone } = await halted('stopped')
  t.strictSame(seen, { done: false, going: false })
  t.ok(passedMs < haltMs / 2, `${passedMs} ms of its time passed before it was halted`)
  const at = pulse.nowNs()
  await wait(20)
  t.equal(isDone(), false, 'what was left of the wait is still to come')
  t.ok(pulse.nowNs() > at, 'its time goes on')
  await wait(aWhileMs + haltMs)
  t.equal(isDone(), true)
})

t.test('clocks that run on make a wait end at once', { buffered: true }, async t => {
  const { seen, passedMs, isDone } = await halted('running')
  t.strictSame(seen, { done: false, going: false })
  t.ok(passedMs >= haltMs - 5, `${passedMs} ms`)
  await wait(50)
  t.equal(isDone(), true)
})

t.test('what is planned while it is halted waits, and can be taken back', { buffered: true }, async t => {
  const pulse = new Pulse('running')
  const done: string[] = []
  pulse.halt()
  pulse.halt()
  pulse.after(0, () => done.push('kept'))
  const takeBack = pulse.after(0, () => done.push('taken back'))
  await wait(30)
  t.strictSame(done, [])
  takeBack()
  pulse.goOn()
  pulse.goOn()
  await wait(30)
  t.strictSame(done, ['kept'])
  t.equal(pulse.isHalted, false)
})
