import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import type { Demand } from '../config/demand.js'
import type { Capacity } from '../config/model.js'
import { Admission } from './admission.js'
import { claimsOf, type Job, type Offer } from './queue.js'
import { schedule } from './schedule.js'

interface Lab {
  readonly hosts: readonly { readonly id: string; readonly capacity: Capacity }[]
  readonly jobs: readonly (Job & { readonly takesMs: number; readonly fails: boolean })[]
  readonly parallel: number
  readonly reserveAfterMs: number
  /** Hosts that are set aside, and when. */
  readonly dying: ReadonlyMap<string, number>
}

const locks = ['vlan', 'tape']
const dimension = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(Number.POSITIVE_INFINITY))

/** Some environments need a second host at the same time: they are moved to it while they run. */
function offerOn(host: string, demand: fc.Arbitrary<Demand>, ids: readonly string[]): fc.Arbitrary<Offer> {
  const others = ids.filter(other => other !== host)
  return fc
    .tuple(
      demand,
      others.length === 0 ? fc.constant(null) : fc.option(fc.constantFrom(...others), { freq: 3 }),
    )
    .map(([each, second]) => ({
      host,
      demand: each,
      ...(second === null ? {} : { second: { host: second, demand: each } }),
    }))
}

/** Labs with any capacities, demands that may fit nowhere, wrong estimates, moves, and hosts that die. */
const labs: fc.Arbitrary<Lab> = fc.integer({ min: 1, max: 5 }).chain(count => {
  const ids = Array.from({ length: count }, (_, index) => `h${index}`)
  const capacity = fc.record({
    guests: dimension,
    vcpus: dimension,
    memoryBytes: dimension,
    locks: fc.subarray(locks),
  })
  const demand = fc.record({
    vcpus: fc.integer({ min: 0, max: 8 }),
    memoryBytes: fc.integer({ min: 0, max: 8 }),
    locks: fc.subarray(locks, { maxLength: 2 }),
  })
  const job = fc.record({
    offers: fc
      .subarray(ids, { minLength: 1 })
      .chain(on => fc.tuple(...on.map(host => offerOn(host, demand, ids)))),
    estimateMs: fc.integer({ min: 0, max: 100 }),
    takesMs: fc.integer({ min: 0, max: 100 }),
    fails: fc.boolean(),
  })
  return fc.record({
    hosts: fc.tuple(...ids.map(id => capacity.map(has => ({ id, capacity: has })))),
    jobs: fc
      .array(job, { maxLength: 40 })
      .map(all => all.map((each, index) => ({ ...each, id: `j${index}` }))),
    parallel: fc.integer({ min: 1, max: 12 }),
    reserveAfterMs: fc.constantFrom(0, 50, 1_000_000),
    dying: fc
      .array(fc.tuple(fc.constantFrom(...ids), fc.integer({ min: 0, max: 300 })), { maxLength: 2 })
      .map(all => new Map(all)),
  })
})

interface Taken {
  readonly job: Job
  readonly demand: Demand
}

/** Serves a lab in virtual time, counting what is on each host for itself. */
async function serveLab(lab: Lab): Promise<{ ended: string[]; excesses: string[] }> {
  const admission = new Admission(lab)
  const timers: { readonly atMs: number; readonly fire: () => void }[] = []
  const on = new Map<string, Taken[]>(lab.hosts.map(({ id }) => [id, []]))
  const [ended, excesses, moved]: [string[], string[], Set<string>] = [[], [], new Set()]
  let [nowMs, running] = [0, 0]
  const until = (atMs: number): Promise<void> =>
    new Promise(resolve => {
      timers.push({ atMs, fire: resolve })
    })
  for (const [host, atMs] of lab.dying) {
    void until(atMs).then(() => {
      ended.push(...admission.setAside(host).map(({ id }) => id))
    })
  }
  const scheduling = schedule({
    admission,
    jobs: lab.jobs,
    now: () => nowMs,
    drain: new AbortController().signal,
    onNoHost: ({ id }) => ended.push(id),
    serve: async (job, host) => {
      const taken = job.offers.filter(offer => offer.host === host).flatMap(claimsOf)
      for (const claim of taken) {
        on.set(claim.host, [...(on.get(claim.host) ?? []), { job, demand: claim.demand }])
      }
      running += 1
      excesses.push(...excessesOf(lab, on, running))
      const planned = lab.jobs.find(({ id }) => id === job.id)
      await until(nowMs + (planned?.takesMs ?? 0))
      for (const claim of taken) {
        on.set(
          claim.host,
          (on.get(claim.host) ?? []).filter(other => other.job !== job),
        )
      }
      running -= 1
      if (planned?.fails === true && !moved.has(job.id)) {
        moved.add(job.id)
        return planned.offers.map(offer => offer.host).filter(other => other !== host)
      }
      ended.push(job.id)
      return null
    },
  })
  let isOver = false
  const over = scheduling.finally(() => {
    isOver = true
  })
  over.catch(() => {})
  for (;;) {
    await turn()
    timers.sort((a, b) => a.atMs - b.atMs)
    const next = isOver ? undefined : timers.shift()
    if (next === undefined) {
      break
    }
    nowMs = Math.max(nowMs, next.atMs)
    next.fire()
  }
  if (!isOver) {
    return { ended, excesses: [...excesses, 'nothing runs any more, and the run is not over'] }
  }
  await over
  return { ended, excesses }
}

/** What is above a limit, counted from nothing but who is where. */
function excessesOf(lab: Lab, on: ReadonlyMap<string, readonly Taken[]>, running: number): string[] {
  const ofHosts = lab.hosts.flatMap(({ id, capacity }) => {
    const demands = (on.get(id) ?? []).map(({ demand }) => demand)
    const held = demands.flatMap(demand => demand.locks)
    const sum = (key: 'vcpus' | 'memoryBytes'): number =>
      demands.reduce((total, each) => total + each[key], 0)
    return [
      demands.length > capacity.guests ? `${id}: guests` : [],
      sum('vcpus') > capacity.vcpus ? `${id}: vcpus` : [],
      sum('memoryBytes') > capacity.memoryBytes ? `${id}: memory` : [],
      new Set(held).size < held.length ? `${id}: a lock is held twice` : [],
      held.some(lock => !capacity.locks.includes(lock)) ? `${id}: a lock that it has not` : [],
    ].flat()
  })
  return [...ofHosts, ...(running > lab.parallel ? ['the run: parallel'] : [])]
}

t.test('in any lab no host exceeds any limit, and every environment ends, once', async t => {
  await fc.assert(
    fc.asyncProperty(labs, async lab => {
      const { ended, excesses } = await serveLab(lab)
      t.same(excesses, [])
      t.same([...ended].sort(), lab.jobs.map(({ id }) => id).sort())
      return excesses.length === 0 && ended.length === lab.jobs.length
    }),
    { numRuns: 300, seed: 20261125 },
  )
})

t.test('once drained, what waits begins no more, and what runs ends', async t => {
  const drain = new AbortController()
  const served: string[] = []
  const finish: (() => void)[] = []
  const capacity = { guests: 1, vcpus: 1, memoryBytes: 1, locks: [] }
  const offers = [{ host: 'h', demand: { vcpus: 1, memoryBytes: 1, locks: [] } }]
  const over = schedule({
    admission: new Admission({ hosts: [{ id: 'h', capacity }], parallel: 2, reserveAfterMs: 0 }),
    jobs: ['a', 'b', 'c'].map(id => ({ id, offers, estimateMs: 1 })),
    now: () => 0,
    drain: drain.signal,
    onNoHost: () => t.fail('it has a host'),
    serve: async ({ id }) => {
      served.push(id)
      await new Promise<void>(resolve => finish.push(resolve))
      return null
    },
  })
  await turn()
  drain.abort()
  finish[0]?.()
  await over
  t.same(served, ['a'])
})
