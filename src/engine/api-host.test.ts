import t from 'tap'
import { defaultLimits } from '../config/limits.js'
import type { RunningGuest } from '../hypervisors/driver.js'
import { Stillness } from '../remote/index.js'
import { hostFor } from './api-host.js'
import { HeldStill } from './held.js'
import type { GuestSession } from './session.js'
import { UndoStack } from './undo.js'

const never = new AbortController().signal

function sessionWith(
  running: Partial<RunningGuest>,
  hostAction = 1000,
  stillness = new Stillness(),
): GuestSession {
  const environment = { hypervisor: { product: 'rhel-kvm', version: '9.6' } }
  const limits = { ...defaultLimits, hostAction }
  const held = new HeldStill(stillness)
  const source = { running, environment, limits, held, instance: 'gc-1' }
  return { machine: {}, identity: {}, nmiIn: null, source } as unknown as GuestSession
}

t.test('what the driver offers can be done, with what the test gives', async t => {
  const done: unknown[] = []
  const running: Partial<RunningGuest> = {
    snapshot: async (name, signal) => void done.push(['snapshot', name, signal.aborted]),
    attachDisk: async bytes => ({ serial: `disk of ${bytes}` }),
    setVcpus: async count => void done.push(['vcpus', count]),
    migrate: async () => ({ host: 'kvm-2' }),
  }
  const host = hostFor(sessionWith(running), never, { migrates: true })
  await host.snapshot('before')
  await host.setVcpus(2)
  t.same(done, [
    ['snapshot', 'before', false],
    ['vcpus', 2],
  ])
  t.same(await host.attachDisk(1024), { serial: 'disk of 1024' })
  t.equal(await host.migrate(), 'kvm-2')
  t.same([...host.abilities].sort(), ['attach-disk', 'migrate', 'set-vcpus', 'snapshot'])
})

t.test('a guest is moved by tests alone that said so: others have no room for it', async t => {
  const host = hostFor(sessionWith({ migrate: async () => ({ host: 'kvm-2' }) }), never)
  t.equal(host.abilities.size, 0)
  await t.rejects(host.migrate(), { message: /cannot migrate gc-1/ })
})

t.test('what the driver does not offer says what the manifest must name', async t => {
  const host = hostFor(sessionWith({}), never)
  t.equal(host.abilities.size, 0)
  await t.rejects(host.nmi(), { message: /cannot inject an NMI into gc-1: the manifest must name/ })
})

t.test('an action that does not end is given up as trouble of the host', async t => {
  const host = hostFor(sessionWith({ reset: () => new Promise(() => {}) }, 20), never)
  await t.rejects(host.reset(), {
    message: /reset gc-1: the limit "hostAction" of 20 ms/,
    context: { cause: 'host', limit: 'hostAction' },
  })
})

t.test(
  'what a test leaves done to its guest is undone in reverse, and what it undid itself is not',
  async t => {
    const done: string[] = []
    const note = (what: string) => async (): Promise<void> => void done.push(what)
    const running: Partial<RunningGuest> = {
      pause: note('pause'),
      resume: note('resume'),
      powerOff: note('off'),
      powerOn: note('on'),
      snapshot: async name => void done.push(`snapshot ${name}`),
      deleteSnapshot: async name => void done.push(`forget ${name}`),
      attachDisk: async bytes => ({ serial: `d${bytes}` }),
      detachDisk: async serial => void done.push(`detach ${serial}`),
      attachNic: async () => ({ mac: '02:00' }),
      detachNic: async mac => void done.push(`detach ${mac}`),
      setVcpus: async count => void done.push(`vcpus ${count}`),
    }
    const session = sessionWith(running)
    Object.assign(session.source.environment, { configuration: { vcpus: 4 } })
    const undo = new UndoStack()
    const host = hostFor(session, never, {}, undo)
    await host.attachDisk(1)
    await host.attachDisk(2)
    await host.detachDisk('d1')
    await host.attachNic()
    await host.setVcpus(2)
    await host.setVcpus(3)
    await host.snapshot('s')
    await host.powerOff()
    await host.powerOn()
    await host.pause()
    done.length = 0
    t.match(await undo.undoAll(1000), { left: null })
    t.same(done, ['resume', 'forget s', 'vcpus 4', 'detach 02:00', 'detach d2'])
  },
)

t.test('a pause that was interrupted is undone', async t => {
  const done: string[] = []
  const stop = new AbortController()
  const running: Partial<RunningGuest> = {
    pause: async () => stop.abort(new Error('the test has ended')),
    resume: async () => void done.push('resume'),
  }
  const undo = new UndoStack()
  await t.rejects(hostFor(sessionWith(running), stop.signal, {}, undo).pause({ for: '10m' }))
  t.match(await undo.undoAll(1000), { names: ['resume'], left: null })
  t.same(done, ['resume'])
})

t.test('while its host does what stops it a guest is held still, and while it is paused', async t => {
  const stillness = new Stillness()
  const seen: Record<string, boolean> = {}
  const look = (what: string) => async (): Promise<void> => {
    seen[what] = stillness.isHeld
  }
  const running: Partial<RunningGuest> = {
    snapshot: look('snapshot'),
    nmi: look('nmi'),
    pause: look('pause'),
    resume: look('resume'),
    revert: () => new Promise(() => {}),
  }
  const session = sessionWith(running, 20, stillness)
  const host = hostFor(session, never)
  await host.nmi()
  t.equal(session.nmiIn, session.identity, 'the boot of the NMI is remembered')
  t.equal(session.source.held.wasHeldOn(session.machine), false)
  await host.snapshot('s')
  t.equal(stillness.isHeld, false, 'no longer than the action lasts')
  t.equal(session.source.held.wasHeldOn(session.machine), true)
  await host.pause()
  t.equal(stillness.isHeld, true, 'a pause lasts')
  await host.resume()
  t.equal(stillness.isHeld, false)
  await t.rejects(host.revert('s'), { message: /the limit "hostAction"/ })
  t.equal(stillness.isHeld, false, 'an action that is given up holds it no longer')
  t.same(seen, { nmi: false, snapshot: true, pause: true, resume: true })
})
