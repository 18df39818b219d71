import t from 'tap'
import { InfraError } from '../config/errors.js'
import type { RunningGuest, UnexpectedEvent } from '../hypervisors/driver.js'
import type { Machine } from '../remote/index.js'
import { watchHealth } from './broken.js'
import { expectedWindow } from './expected.js'

const watched = { instance: 'gc-1', lookLimitMs: 5_000, tell: () => {} }

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
  const health = watchHealth({ ...watched, running, expected: expectedWindow() })
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
  const health = watchHealth({ ...watched, running, expected })
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
  const health = watchHealth({ ...watched, running, expected })
  expected.open('a reboot', 60_000)
  crash('Oops')
  t.ok(health.broken.aborted)
})

t.test('a guest that is gone is broken, for the reason that its driver gave', async t => {
  const { running, gone } = guestInHand()
  const health = watchHealth({ ...watched, running, expected: expectedWindow() })
  gone.abort(new InfraError('QEMU ended', { cause: 'host', where: 'gc-1', code: 'lost' }))
  t.match(health.broken.reason, { message: 'QEMU ended', context: { cause: 'host' } })
})

/** A guest whose host tells what it did. */
function guestOnHost() {
  let tellIt: (what: UnexpectedEvent) => void = () => {}
  let looks = 0
  const running: RunningGuest = {
    ...guestInHand().running,
    onUnexpected: listener => {
      tellIt = listener
      return () => {
        tellIt = () => {}
      }
    },
    look: async () => {
      looks += 1
    },
  }
  return { running, happens: (what: UnexpectedEvent) => tellIt(what), looks: () => looks }
}

t.test(
  'what its host did to a guest unexpectedly is told, and is trouble of the host from then on',
  async t => {
    const { running, happens, looks } = guestOnHost()
    const told: UnexpectedEvent[] = []
    const health = watchHealth({
      ...watched,
      running,
      expected: expectedWindow(),
      tell: what => void told.push(what),
    })
    const before = performance.now()
    t.equal(await health.byHostSince(before), null)
    t.equal(looks(), 1, 'it is looked at first')
    happens({ type: 'restarted', cause: 'host', why: 'it was 5, and is 6' })
    t.match(await health.byHostSince(before), {
      message: 'gc-1: its host restarted it: it was 5, and is 6, and nobody asked for that',
      context: { cause: 'host' },
    })
    t.equal(
      await health.byHostSince(performance.now()),
      null,
      'what came before says nothing of what comes after',
    )
    const between = performance.now()
    happens({ type: 'moved', from: 'a', to: 'b' })
    t.match(await health.byHostSince(between), { message: /moved it from a to b/ })
    t.match(told, [{ type: 'restarted' }, { type: 'moved' }])
    health.close()
    happens({ type: 'moved', from: 'b', to: 'c' })
    t.equal(told.length, 2, 'nothing is told once it is closed')
  },
)

t.test(
  'a restart that may be the reboot of the guest excuses nothing, and one in a reboot is not told',
  async t => {
    const { running, happens } = guestOnHost()
    const told: UnexpectedEvent[] = []
    const expected = expectedWindow()
    const health = watchHealth({ ...watched, running, expected, tell: what => void told.push(what) })
    happens({ type: 'restarted', cause: 'unknown', why: 'it was 5, and is 6' })
    t.equal(await health.byHostSince(0), null)
    t.equal(told.length, 1)
    const close = expected.open('a reboot', 60_000)
    happens({ type: 'restarted', cause: 'host', why: 'it was 6, and is 7' })
    close()
    t.equal(await health.byHostSince(0), null)
    t.equal(told.length, 1)
  },
)
