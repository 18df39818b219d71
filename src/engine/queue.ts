import type { Demand } from '../config/demand.js'

/** What a job takes of a host. */
export interface Claim {
  readonly host: string
  readonly demand: Demand
}

/** A host that can serve a job, and what the job takes of it. */
export interface Offer extends Claim {
  /** A further host that it must have room on at the same time: where it is moved to while it runs. */
  readonly second?: Claim
}

/** All that an offer takes, the host that serves first. */
export function claimsOf(offer: Offer): readonly Claim[] {
  return offer.second === undefined ? [offer] : [offer, offer.second]
}

/** What is to be admitted: an environment, for the engine. */
export interface Job {
  readonly id: string
  readonly offers: readonly Offer[]
  readonly estimateMs: number
}

/** A job that waits. */
export interface Waiting {
  readonly job: Job
  readonly sinceMs: number
  /** The order in which they came, for equals. */
  readonly number: number
  /** How much must come after its beginning: its own time, or the time of all who wait for its lock. */
  rankMs: number
  /** The hosts that are kept for it. */
  reserved: readonly string[]
  readonly group: Group
  /** True when an offer takes two hosts at once. */
  readonly isPaired: boolean
  /** The offers, by host. */
  readonly offers: ReadonlyMap<string, Offer>
}

/** The longest first; of equals the larger, then the earlier. */
export function compareWaiting(a: Waiting, b: Waiting): number {
  return b.rankMs - a.rankMs || b.job.estimateMs - a.job.estimateMs || a.number - b.number
}

/** Jobs that the same hosts can serve. */
export interface Group {
  /** The one of them that a host is kept for. */
  reserving: Waiting | null
  readonly chains: Map<string, number>
  waiting: Waiting[]
  sorted: boolean
}

/** All who wait, grouped by the hosts that can serve them, the longest first. */
export class WaitingList implements Iterable<Waiting> {
  readonly #groups = new Map<string, Group>()
  readonly #byHost = new Map<string, Set<Group>>()
  #size = 0
  #number = 0

  get size(): number {
    return this.#size
  }

  *[Symbol.iterator](): Iterator<Waiting> {
    for (const { waiting } of this.#groups.values()) {
      yield* waiting
    }
  }

  /** Those that wait longest of all whom the same hosts can serve, and how many others wait with each. */
  *longest(): Iterable<{ readonly waiting: Waiting; readonly others: number }> {
    for (const { waiting: all } of this.#groups.values()) {
      const [first, ...others] = all
      if (first !== undefined) {
        const waiting = others.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a), first)
        yield { waiting, others: others.length }
      }
    }
  }

  add(job: Job, sinceMs: number): void {
    const group = this.#groupOf(job)
    this.#number += 1
    this.#size += 1
    group.waiting.push({
      job,
      sinceMs,
      number: this.#number,
      rankMs: job.estimateMs,
      reserved: [],
      group,
      isPaired: job.offers.some(({ second }) => second !== undefined),
      offers: new Map(job.offers.map(offer => [offer.host, offer])),
    })
    lengthen(group, job, job.estimateMs)
    group.sorted = false
  }

  /** Those whom one of these hosts can serve, in order. */
  candidates(hosts: Iterable<{ readonly id: string }>): readonly Waiting[] {
    const groups = new Set([...hosts].flatMap(({ id }) => [...(this.#byHost.get(id) ?? [])]))
    for (const group of groups) {
      sort(group)
    }
    const [only, ...others] = [...groups].map(({ waiting }) => waiting)
    return others.length === 0 ? (only ?? []) : [only ?? [], ...others].flat().sort(compareWaiting)
  }

  remove(gone: readonly Waiting[]): void {
    const set = new Set(gone)
    for (const group of new Set(gone.map(waiting => waiting.group))) {
      const left = group.waiting.filter(waiting => !set.has(waiting))
      this.#size -= group.waiting.length - left.length
      group.waiting = left
    }
    for (const { job, group } of gone) {
      lengthen(group, job, -job.estimateMs)
    }
  }

  #groupOf({ offers }: Job): Group {
    const key = offers
      .map(offer => claimsOf(offer).map(({ host }) => host))
      .sort()
      .join(' ')
    const hosts = new Set(offers.flatMap(claimsOf).map(({ host }) => host))
    const known = this.#groups.get(key)
    if (known !== undefined) {
      return known
    }
    const group: Group = { reserving: null, chains: new Map(), waiting: [], sorted: true }
    this.#groups.set(key, group)
    for (const host of hosts) {
      this.#byHost.set(host, (this.#byHost.get(host) ?? new Set()).add(group))
    }
    return group
  }
}

/** Who waits for a lock waits for one after the other: together they are as long as one job. */
function lengthen(group: Group, job: Job, ms: number): void {
  for (const lock of locksOf(job)) {
    group.chains.set(lock, (group.chains.get(lock) ?? 0) + ms)
    group.sorted = false
  }
}

function sort(group: Group): void {
  if (group.sorted) {
    return
  }
  for (const waiting of group.waiting) {
    const { job } = waiting
    const chains = locksOf(job).map(lock => (group.chains.get(lock) ?? 0) / job.offers.length)
    waiting.rankMs = Math.max(job.estimateMs, ...chains)
  }
  group.waiting.sort(compareWaiting)
  group.sorted = true
}

function locksOf({ offers }: Job): readonly string[] {
  return offers[0]?.demand.locks ?? []
}
