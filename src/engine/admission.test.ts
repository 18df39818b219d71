import fc from 'fast-check'
import t from 'tap'
import type { Capacity } from '../config/model.js'
import { Admission } from './admission.js'
import type { Job, Offer } from './queue.js'

const plenty: Capacity = {
  guests: 100,
  vcpus: Number.POSITIVE_INFINITY,
  memoryBytes: Number.POSITIVE_INFINITY,
  locks: [],
}

function admission(hosts: Readonly<Record<string, Partial<Capacity>>>, more = {}): Admission {
  return new Admission({
    hosts: Object.entries(hosts).map(([id, capacity]) => ({ id, capacity: { ...plenty, ...capacity } })),
    parallel: 100,
    reserveAfterMs: 1000,
    ...more,
  })
}

function job(id: string, estimateMs: number, on: Readonly<Record<string, Partial<Offer['demand']>>>): Job {
  const offers = Object.entries(on).map(([host, demand]) => ({
    host,
    demand: { vcpus: 0, memoryBytes: 0, locks: [], ...demand },
  }))
  return { id, estimateMs, offers }
}

/** Who begins now, as `job@host`. */
function begun(of: Admission, nowMs: number): string[] {
  return of.admit(nowMs).map(({ job: { id }, host }) => `${id}@${host}`)
}

t.test('the longest comes first, on the host that is left emptiest', async t => {
  const two = admission({ a: { guests: 1 }, b: { guests: 4 } })
  for (const [id, ms] of [
    ['short', 1],
    ['long', 9],
    ['middle', 5],
  ] as const) {
    two.submit(job(id, ms, { a: {}, b: {} }), 0)
  }
  t.same(begun(two, 0), ['long@b', 'middle@b', 'short@b'])
  const one = admission({ a: { guests: 1 } })
  one.submit(job('short', 1, { a: {} }), 0)
  one.submit(job('long', 9, { a: {} }), 0)
  t.same(begun(one, 0), ['long@a'])
  t.same(begun(one, 5), [])
  one.release('long')
  t.same(begun(one, 9), ['short@a'])
})

t.test('no more than the run allows, over all hosts', async t => {
  const two = admission({ a: {}, b: {} }, { parallel: 2 })
  for (const id of ['x', 'y', 'z']) {
    two.submit(job(id, 1, { a: {}, b: {} }), 0)
  }
  t.equal(two.admit(0).length, 2)
  t.equal(two.admit(0).length, 0)
  two.release('x')
  t.equal(two.admit(1).length, 1)
})

t.test('who holds a lock keeps out those who need it, and nobody else', async t => {
  const one = admission({ a: { locks: ['vlan'] } })
  one.submit(job('holder', 9, { a: { locks: ['vlan'] } }), 0)
  one.submit(job('second', 8, { a: { locks: ['vlan'] } }), 0)
  one.submit(job('free', 1, { a: {} }), 0)
  t.same(begun(one, 0), ['holder@a', 'free@a'])
  one.release('free')
  t.same(begun(one, 5), [])
  one.release('holder')
  t.same(begun(one, 9), ['second@a'])
})

t.test('all who need a lock count as one long job', async t => {
  const one = admission({ a: { guests: 1, locks: ['vlan'] } })
  one.submit(job('lone', 5, { a: {} }), 0)
  one.submit(job('first', 3, { a: { locks: ['vlan'] } }), 0)
  one.submit(job('second', 3, { a: { locks: ['vlan'] } }), 0)
  t.same(begun(one, 0), ['first@a'])
})

t.test('a large guest that small ones pass by gets its turn', async t => {
  const one = admission({ a: { vcpus: 4 } })
  let small = 0
  const addSmall = (nowMs: number): void => {
    small += 1
    one.submit(job(`small-${small}`, 400, { a: { vcpus: 1 } }), nowMs)
  }
  for (let number = 0; number < 4; number += 1) {
    addSmall(0)
  }
  t.equal(one.admit(0).length, 4)
  one.submit(job('large', 300, { a: { vcpus: 4 } }), 0)
  // One small guest ends every 100 ms and another comes: without a reservation there is never room for four.
  let nowMs = 0
  let number = 0
  let begunAtMs: number | null = null
  while (begunAtMs === null && nowMs < 10_000) {
    nowMs += 100
    number += 1
    if (number <= small && one.running > 0) {
      one.release(`small-${number}`)
    }
    addSmall(nowMs)
    begunAtMs = begun(one, nowMs).includes('large@a') ? nowMs : null
  }
  t.ok(begunAtMs !== null && begunAtMs <= 1000 + 4 * 400, `begun at ${begunAtMs}`)
})

t.test('a reserved host still takes who will be gone in time', async t => {
  const one = admission({ a: { vcpus: 4 } })
  one.submit(job('running', 5000, { a: { vcpus: 3 } }), 0)
  t.same(begun(one, 0), ['running@a'])
  one.submit(job('large', 6000, { a: { vcpus: 4 } }), 0)
  t.same(begun(one, 0), [])
  one.submit(job('filler', 10, { a: { vcpus: 1 } }), 1000)
  t.same(begun(one, 1000), ['filler@a'], 'and reserves for large')
  one.release('filler')
  one.submit(job('too-long', 4500, { a: { vcpus: 1 } }), 1010)
  one.submit(job('in-time', 3000, { a: { vcpus: 1 } }), 1010)
  t.same(begun(one, 1010), ['in-time@a'])
  one.release('in-time')
  one.release('running')
  t.same(begun(one, 5000), ['large@a'])
})

t.test('who moves to a second host while it runs has room on both, or waits', async t => {
  const three = admission({ a: { guests: 1 }, b: { guests: 1 }, c: { guests: 1 } })
  const pair = (id: string, host: string, second: string): Job => {
    const demand = { vcpus: 0, memoryBytes: 0, locks: [] }
    return { id, estimateMs: 5, offers: [{ host, demand, second: { host: second, demand } }] }
  }
  three.submit(pair('moves', 'a', 'b'), 0)
  three.submit(pair('other-way', 'b', 'a'), 0)
  three.submit(job('on-b', 1, { b: {} }), 0)
  three.submit(job('on-c', 1, { c: {} }), 0)
  t.same(begun(three, 0), ['moves@a', 'on-c@c'])
  three.release('moves')
  t.same(begun(three, 1), ['other-way@b'])
  t.same(
    three.setAside('a').map(({ id }) => id),
    [],
    'what runs goes on',
  )
  three.release('other-way')
  t.same(begun(three, 2), ['on-b@b'])
  t.notOk(three.submit(pair('late', 'b', 'a'), 3), 'its second host serves nothing more')
})

t.test('who waits for two hosts gets its turn though others pass it by on each', async t => {
  const two = admission({ a: { guests: 1 }, b: { guests: 1 } })
  const demand = { vcpus: 0, memoryBytes: 0, locks: [] }
  two.submit(job('a-0', 400, { a: {} }), 0)
  two.submit(job('b-0', 300, { b: {} }), 0)
  two.admit(0)
  const offers = [{ host: 'a', demand, second: { host: 'b', demand } }]
  two.submit({ id: 'pair', estimateMs: 100, offers }, 0)
  let begunAtMs: number | null = null
  const ends = new Map([
    ['a-0', 400],
    ['b-0', 300],
  ])
  for (let nowMs = 100; begunAtMs === null && nowMs < 10_000; nowMs += 100) {
    for (const [id, atMs] of ends) {
      if (atMs <= nowMs) {
        two.release(id)
        ends.delete(id)
        const host = id.startsWith('a') ? 'a' : 'b'
        two.submit(job(`${host}-${nowMs}`, host === 'a' ? 400 : 300, { [host]: {} }), nowMs)
      }
    }
    for (const { job: granted } of two.admit(nowMs)) {
      begunAtMs = granted.id === 'pair' ? nowMs : begunAtMs
      ends.set(granted.id, nowMs + granted.estimateMs)
    }
  }
  t.ok(begunAtMs !== null && begunAtMs <= 1000 + 2 * 400, `begun at ${begunAtMs}`)
})

t.test('what no host can ever bear is refused at once', async t => {
  const one = admission({ a: { vcpus: 4, locks: ['vlan'] } })
  t.notOk(one.submit(job('x', 1, { a: { vcpus: 5 } }), 0))
  t.notOk(one.submit(job('x', 1, { a: { locks: ['tape'] } }), 0))
  t.notOk(one.submit(job('x', 1, { b: {} }), 0))
  t.ok(one.submit(job('x', 1, { a: { vcpus: 4, locks: ['vlan'] } }), 0))
})

t.test('a host that is set aside gets nothing more, and says who has no other', async t => {
  const two = admission({ a: { guests: 1 }, b: { guests: 1 } })
  two.submit(job('x', 9, { a: {} }), 0)
  two.submit(job('only-a', 5, { a: {} }), 0)
  two.submit(job('both', 1, { a: {}, b: {} }), 0)
  t.same(begun(two, 0), ['x@a', 'both@b'])
  t.same(
    two.setAside('a').map(({ id }) => id),
    ['only-a'],
  )
  two.release('x')
  t.same(begun(two, 1), [])
  t.equal(two.waiting, 0)
  t.notOk(two.submit(job('late', 1, { a: {} }), 1))
})

t.test('what was taken is given back: when all have ended, everything fits again', async () => {
  const demand = fc.record({
    vcpus: fc.integer({ min: 1, max: 4 }),
    memoryBytes: fc.integer({ min: 1, max: 8 }),
    locks: fc.subarray(['p', 'q']),
  })
  const capacity = { guests: 3, vcpus: 4, memoryBytes: 8, locks: ['p', 'q'] }
  fc.assert(
    fc.property(fc.array(demand, { minLength: 1, maxLength: 12 }), demands => {
      const one = admission({ a: capacity })
      demands.forEach((each, index) => {
        one.submit(job(`j${index}`, index, { a: each }), 0)
      })
      while (one.waiting > 0) {
        for (const { job: ended } of one.admit(0)) {
          one.release(ended.id)
        }
      }
      one.submit(job('whole', 1, { a: { vcpus: 4, memoryBytes: 8, locks: ['p', 'q'] } }), 0)
      return begun(one, 0).length === 1
    }),
  )
})
