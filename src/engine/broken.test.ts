import t from 'tap'
import { InfraError } from '../config/errors.js'
import type { RunningGuest } from '../hypervisors/driver.js'
import type { Machine } from '../remote/index.js'
import { watchHealth } from './broken.js'
import { expectedWindow } from './expected.js'

const limitMs = 5_000

/** A guest whose console and end are in the test's hands. */
function guestInHand() {
  const gone = new AbortController()
  let told: (error: InfraError) => void = () => {}
  const running: RunningGuest = {
    access: () => Promise.reject(new Error('not asked for')),
    gone: gone.signal,
    facts: {},
    console: {
      onCrash: listener => {
        told = listener
        return () => {}
      },
      look: async () => {},
    },
    stop: async () => {},
  }
  const crash = (line: string): void =>
    told(new InfraError(line, { cause: 'guest', where: 'gc-1', code: 'lost' }))
  return { running, gone, crash }
}

t.test('a crash breaks the guest, and ends its connections', async t => {
  const { running, crash } = guestInHand()
  const health = watchHealth(running, expectedWindow(), limitMs)
  let closed = 0
  const machine = { lost: new AbortController().signal, close: async () => (closed += 1) }
  health.endWhenBroken(machine as unknown as Machine)
  t.equal(closed, 0)
  crash('Kernel panic')
  t.match(health.broken.reason, { message: 'Kernel panic', context: { cause: 'guest' } })
  t.equal(closed, 1)
  health.endWhenBroken(machine as unknown as Machine)
  t.equal(closed, 2, 'one that comes too late is ended at once')
})

t.test('a crash is tolerated where it was announced, and nowhere else', async t => {
  let nowMs = 0
  const expected = expectedWindow(() => nowMs)
  const { running, crash } = guestInHand()
  const health = watchHealth(running, expected, limitMs)
  const close = expected.open('an announced disconnection', 1000, 'crash-tolerated')
  crash('in time')
  t.notOk(health.broken.aborted)
  t.equal(health.tolerated()?.message, 'in time')
  close()
  expected.open('an announced disconnection', 1000, 'crash-tolerated')
  nowMs += 1001
  crash('too late')
  t.match(health.broken.reason, { message: 'too late' })
})

t.test('a reboot that was asked for is no leave to crash', async t => {
  const expected = expectedWindow()
  const { running, crash } = guestInHand()
  const health = watchHealth(running, expected, limitMs)
  expected.open('a reboot', 60_000)
  crash('Oops')
  t.ok(health.broken.aborted)
})

t.test('a guest that is gone is broken, for the reason that its driver gave', async t => {
  const { running, gone } = guestInHand()
  const health = watchHealth(running, expectedWindow(), limitMs)
  gone.abort(new InfraError('QEMU ended', { cause: 'host', where: 'gc-1', code: 'lost' }))
  t.match(health.broken.reason, { message: 'QEMU ended', context: { cause: 'host' } })
})
