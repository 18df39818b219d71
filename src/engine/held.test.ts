import t from 'tap'
import { defaultLimits } from '../config/limits.js'
import { type Machine, Stillness } from '../remote/index.js'
import { HeldStill } from './held.js'
import { diagnoseLoss, GuestSession, type SessionSource } from './session.js'

const never = new AbortController().signal

function machine(): { machine: Machine; lose: () => void } {
  const lost = new AbortController()
  const fake = { lost: lost.signal, close: async () => {} }
  return { machine: fake as unknown as Machine, lose: () => lost.abort() }
}

/** A session whose connections are made by `reach`. */
function sessionOf(first: Machine, reach: () => Promise<Machine>, expected: string | null = null) {
  const held = new HeldStill(new Stillness())
  const source = {
    held,
    reach,
    instance: 'gc-1',
    limits: { ...defaultLimits, recovery: 50 },
    expected: { current: () => expected },
    health: { broken: never },
  } as unknown as SessionSource
  const identity = { bootId: 'b1', btimeSec: 0, uptimeSec: 1, takenAtMs: 0 }
  const start = { machine: first, identity } as ConstructorParameters<typeof GuestSession>[1]
  return { held, session: new GuestSession(source, start) }
}

t.test('a connection that did not outlive a hold is made anew, once for all who ask', async t => {
  const [before, after] = [machine(), machine()]
  let made = 0
  const { held, session } = sessionOf(before.machine, async () => {
    made += 1
    return after.machine
  })
  await held.during('revert', session.machine, never, async () => {})
  t.equal(await session.connected(never), before.machine, 'it stands')
  before.lose()
  t.same(await Promise.all([session.connected(never), session.connected(never)]), [
    after.machine,
    after.machine,
  ])
  t.equal(made, 1)
  after.lose()
  t.equal(await session.connected(never), after.machine, 'a later loss has another reason')
})

t.test('a connection that is lost for no such reason stays lost', async t => {
  const { machine: first, lose } = machine()
  const reach = async (): Promise<Machine> => t.fail('it connects') as never
  const { held, session } = sessionOf(first, reach)
  await held.during('nmi', first, never, async () => {})
  lose()
  t.equal(await session.connected(never), first)
  const expecting = sessionOf(first, reach, 'a reboot')
  await expecting.held.during('revert', first, never, async () => {})
  t.equal(await expecting.session.connected(never), first, 'who expects the loss connects by himself')
})

t.test('a guest that cannot be reached after a hold is lost', async t => {
  const { machine: first, lose } = machine()
  const { held, session } = sessionOf(first, () => new Promise(() => {}))
  await held.during('snapshot', first, never, async () => {})
  lose()
  const alive = setTimeout(() => {}, 10_000)
  t.equal(await session.connected(never), first)
  clearTimeout(alive)
})

t.test('a guest that does not answer after an action that was given up is not blamed', async t => {
  const { machine: first, lose } = machine()
  const { held, session } = sessionOf(first, async () => {
    throw new Error('no answer')
  })
  Object.assign(session.source, {
    managed: true,
    health: { broken: never, look: async () => {}, byHostSince: async () => null },
  })
  const giveUp = new AbortController()
  const saving = held.during('snapshot', first, giveUp.signal, async () => {
    giveUp.abort()
    throw new Error('cancelled')
  })
  await t.rejects(saving)
  lose()
  t.match(await diagnoseLoss(session, never), {
    verdict: 'error',
    error: { message: /"snapshot" was given up before it had ended/, context: { cause: 'host' } },
  })
  await held.during('resume', first, never, async () => {})
  const { machine: second, lose: loseAgain } = machine()
  session.machine = second
  loseAgain()
  t.match(await diagnoseLoss(session, never), { verdict: 'fail', error: { context: { cause: 'guest' } } })
})
