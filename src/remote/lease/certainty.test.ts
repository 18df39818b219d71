import t from 'tap'
import type { LeaseAnswer } from './answer.js'
import { type Certainty, type Clocks, openCertainty } from './certainty.js'

/** Clocks that a test moves: the runner's two, and the machine's. */
interface Moved extends Clocks {
  mono: number
  wall: number
  machine: number
  /** All of them go on. */
  pass(ms: number): void
}

function clocks(): Moved {
  return {
    mono: 1_000,
    wall: 1_700_000_000_000,
    machine: 1_500_000_000_000,
    monotonicMs() {
      return this.mono
    },
    wallMs() {
      return this.wall
    },
    pass(ms) {
      this.mono += ms
      this.wall += ms
      this.machine += ms
    },
  }
}

/** Sends a renewal that takes `tookMs` to be answered. */
function renew(known: Certainty, moved: Moved, tookMs = 0, ttlMs = 120_000, everyMs = 20_000): void {
  const sent = known.now()
  moved.pass(tookMs)
  const machineMs = Math.floor(moved.machine / 1000) * 1000
  const answer: LeaseAnswer = {
    word: 'kept',
    generation: 1,
    mark: '1.1',
    owner: null,
    ttlMs,
    everyMs,
    machineMs,
    why: '',
  }
  known.confirmed(sent, answer)
}

t.test('nothing is known before the first renewal was confirmed', async t => {
  t.notOk(openCertainty(clocks()).holds())
})

t.test('it is known from the sending of the renewal on, for less than a contender watches', async t => {
  const moved = clocks()
  const known = openCertainty(moved)
  renew(known, moved, 4_000)
  t.ok(known.holds())
  moved.pass(20_999)
  t.ok(known.holds(), 'the interval, and a renewal that takes its time')
  moved.pass(1)
  t.notOk(known.holds(), '25 s after it was sent; a contender watches for 30 s')
  renew(known, moved)
  t.ok(known.holds())
})

t.test('never for longer than the lease lasts', async t => {
  const moved = clocks()
  const known = openCertainty(moved)
  renew(known, moved, 0, 4_000, 20_000)
  moved.pass(3_999)
  t.ok(known.holds())
  moved.pass(1)
  t.notOk(known.holds())
})

t.test('an answer that came too late is worth nothing', async t => {
  const moved = clocks()
  const known = openCertainty(moved)
  renew(known, moved, 25_000)
  t.notOk(known.holds())
})

t.test('a runner that slept, or whose clock was set, knows nothing until it has asked', async t => {
  for (const apart of [3_600_000, 2_100, -2_100, -3_600_000]) {
    const moved = clocks()
    const known = openCertainty(moved)
    renew(known, moved)
    moved.pass(5_000)
    moved.wall += apart
    t.notOk(known.holds(), `wall clock ${apart} ms ahead of the monotonic one`)
    moved.machine += Math.max(0, apart)
    renew(known, moved)
    renew(known, moved)
    t.ok(known.holds(), 'and asking mends it')
  }
  const slewed = clocks()
  const known = openCertainty(slewed)
  renew(known, slewed)
  slewed.pass(20_000)
  slewed.wall += 10
  t.ok(known.holds(), 'time that NTP slews is not a doubt')
})

t.test('a machine whose clock was set is asked until its clock goes on as ours', async t => {
  for (const jump of [86_400_000, 3_000, -3_000, -86_400_000]) {
    const moved = clocks()
    const known = openCertainty(moved)
    renew(known, moved)
    moved.pass(20_000)
    moved.machine += jump
    renew(known, moved, 500)
    t.notOk(known.holds(), `${jump} ms`)
    moved.pass(1_000)
    renew(known, moved, 500)
    t.ok(known.holds())
  }
  const moved = clocks()
  const known = openCertainty(moved)
  for (let n = 0; n < 50; n += 1) {
    renew(known, moved, n * 37)
    t.ok(known.holds(), 'whole seconds and slow answers are no change')
    moved.pass(19_700)
  }
})
