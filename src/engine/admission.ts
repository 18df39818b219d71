import { fitsEmpty } from '../config/demand.js'
import type { Capacity } from '../config/model.js'
import {
  type HostState,
  type Outlook,
  outlookOf,
  type Part,
  partsOf,
  type Running,
  stateOf,
} from './host-state.js'
import { claimsOf, compareWaiting, type Job, type Offer, type Waiting, WaitingList } from './queue.js'
import { fillWith, giveBack, hasRoom, shortageOf, take } from './room.js'

/** A job that may begin now, and where. */
export interface Grant {
  readonly job: Job
  readonly host: string
}

/** A job that has no room yet. */
export interface AwaitedRoom {
  readonly job: Job
  /** Monotonic, as it was submitted. */
  readonly sinceMs: number
  /** How many others wait for the same hosts. */
  readonly others: number
  /** What it waits for, for people. */
  readonly what: string
}

export interface AdmissionOptions {
  readonly hosts: readonly { readonly id: string; readonly capacity: Capacity }[]
  /** Jobs at once, over all hosts. */
  readonly parallel: number
  /** A job that has waited so long while others passed it by reserves a host. */
  readonly reserveAfterMs: number
}

/**
 * Decides which job may begin on which host, so that no host bears more than its capacity. It waits for
 * nothing and starts nothing: whoever uses it says what ended and asks again.
 *
 * Longest first, where a lock's queue counts as one long job. What does not fit is passed by; once it
 * has waited long it reserves a host, and others may go there only if they will be gone in time or fit
 * beside it (backfilling, as batch schedulers do it).
 */
export class Admission {
  readonly #hosts: ReadonlyMap<string, HostState>
  readonly #parallel: number
  readonly #reserveAfterMs: number
  readonly #waiting = new WaitingList()
  /** What is taken by each job that runs: of its host, and of a second one. */
  readonly #running = new Map<string, readonly (Part & { readonly running: Running })[]>()
  /** Hosts on which something may fit now that did not fit before. */
  readonly #open = new Set<HostState>()

  constructor({ hosts, parallel, reserveAfterMs }: AdmissionOptions) {
    this.#hosts = new Map(hosts.map(({ id, capacity }) => [id, stateOf(id, capacity)]))
    this.#parallel = parallel
    this.#reserveAfterMs = reserveAfterMs
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get running(): number {
    return this.#running.size
  }

  /** Takes a job in. False when none of its hosts could ever serve it: then it is not taken. */
  submit(job: Job, nowMs: number): boolean {
    const offers = job.offers.filter(offer =>
      this.#partsOf(offer)?.every(({ host, demand }) => fitsEmpty(demand, host.room.capacity)),
    )
    if (offers.length === 0) {
      return false
    }
    this.#waiting.add({ ...job, offers }, nowMs)
    for (const { host } of offers) {
      this.#touch(this.#hosts.get(host))
    }
    return true
  }

  /** The jobs that may begin now; they count as running from here on. */
  admit(nowMs: number): Grant[] {
    const grants: Grant[] = []
    while (this.#open.size > 0 && this.#running.size < this.#parallel) {
      const open = new Set([...this.#open].filter(({ aside }) => !aside))
      this.#open.clear()
      for (const host of open) {
        host.outlook = null
      }
      this.#pass(open, nowMs, grants)
    }
    return grants
  }

  /** A running job has left its host. */
  release(jobId: string): void {
    const taken = this.#running.get(jobId)
    if (taken === undefined) {
      throw new TypeError(`${jobId} is not running`)
    }
    this.#running.delete(jobId)
    for (const { host, demand, running } of taken) {
      host.running.delete(running)
      host.room = giveBack(host.room, demand)
      this.#touch(host)
    }
  }

  /** A host serves nothing more. Returns the waiting jobs that have no other host: they wait no longer. */
  setAside(hostId: string): Job[] {
    const host = this.#hosts.get(hostId)
    if (host === undefined) {
      return []
    }
    host.aside = true
    if (host.reservedFor !== null) {
      this.#free(host.reservedFor.waiting)
    }
    const stranded = [...this.#waiting].filter(({ job }) =>
      job.offers.every(offer => this.#partsOf(offer) === null),
    )
    this.#waiting.remove(stranded)
    return stranded.map(({ job }) => job)
  }

  /** What waits longest for each set of hosts, and for what: one line is enough for all that wait for the same. */
  waits(): AwaitedRoom[] {
    return [...this.#waiting.longest()].map(({ waiting: { job, sinceMs }, others }) => ({
      job,
      sinceMs,
      others,
      what:
        this.#running.size >= this.#parallel
          ? `a place among the ${this.#parallel} environments that may run at once (--parallel)`
          : `room on ${job.offers.map(offer => this.#lackOf(offer)).join(' or ')}`,
    }))
  }

  #lackOf(offer: Offer): string {
    const claims = claimsOf(offer)
    const lacks = claims.flatMap(({ host, demand }) => {
      const state = this.#hosts.get(host)
      return state === undefined ? [] : shortageOf(state.room, demand)
    })
    const why = lacks.length === 0 ? 'kept for who waits longer' : lacks.join(', ')
    return `${claims.map(({ host }) => host).join(' and ')} (${why})`
  }

  /** Nothing that waits is wanted any more. */
  drop(): void {
    this.#waiting.remove([...this.#waiting])
  }

  #pass(open: Set<HostState>, nowMs: number, grants: Grant[]): void {
    const candidates = this.#waiting.candidates(open)
    const begun = new Set<Waiting>()
    for (const waiting of inOrder(candidates, open)) {
      if (this.#running.size >= this.#parallel) {
        for (const host of open) {
          this.#open.add(host)
        }
        break
      }
      const offer = this.#choose(waiting, open, nowMs)
      if (offer === null) {
        this.#reserve(waiting, nowMs)
        continue
      }
      begun.add(waiting)
      grants.push({ job: waiting.job, host: offer.host })
      for (const { host } of this.#begin(waiting, offer, nowMs)) {
        if (host.room.guests < 1) {
          open.delete(host)
        }
      }
      if (open.size === 0) {
        break
      }
    }
    // Two hosts are seldom free at once: who needs both reserves them, however full they are.
    for (const waiting of candidates) {
      if (waiting.isPaired && !begun.has(waiting)) {
        this.#reserve(waiting, nowMs)
      }
    }
    this.#waiting.remove([...begun])
  }

  /** Among the open hosts with room for it, the one that is left emptiest: filling up one after the other strands room. */
  #choose(waiting: Waiting, open: ReadonlySet<HostState>, nowMs: number): Offer | null {
    let best: { readonly offer: Offer; readonly fill: number; readonly beside: number } | null = null
    for (const offer of offersOn(waiting, open)) {
      const parts = this.#partsOf(offer)
      if (parts === null || !parts.every(({ host, demand }) => hasRoom(host.room, demand))) {
        continue
      }
      const fill = Math.max(...parts.map(({ host, demand }) => fillWith(host.room, demand)))
      const beside = Math.max(...parts.map(({ host }) => host.running.size))
      const better = best === null || fill < best.fill || (fill === best.fill && beside < best.beside)
      if (better && parts.every(part => this.#mayUse(part, waiting, nowMs))) {
        best = { offer, fill, beside }
      }
    }
    return best?.offer ?? null
  }

  #mayUse({ host, demand }: Part, waiting: Waiting, nowMs: number): boolean {
    const { reservedFor } = host
    if (reservedFor === null || reservedFor.waiting === waiting) {
      return true
    }
    host.outlook ??= outlookOf(host, reservedFor.demand, nowMs)
    return nowMs + waiting.job.estimateMs <= host.outlook.atMs || hasRoom(host.outlook.spare, demand)
  }

  #begin(waiting: Waiting, offer: Offer, nowMs: number): readonly Part[] {
    const { job } = waiting
    const parts = this.#partsOf(offer) ?? []
    const taken = parts.map(({ host, demand }) => {
      const running = { job, demand, endsAtMs: nowMs + job.estimateMs }
      host.running.add(running)
      host.room = take(host.room, demand)
      host.outlook = null
      return { host, demand, running }
    })
    this.#running.set(job.id, taken)
    this.#free(waiting)
    return parts
  }

  /**
   * Where a job that has waited long can begin soonest, nobody else may get in its way. One at a time of
   * those whom the same hosts serve: each in its turn, and the other hosts are not held up.
   */
  #reserve(waiting: Waiting, nowMs: number): void {
    if (waiting.group.reserving !== null || nowMs - waiting.sinceMs < this.#reserveAfterMs) {
      return
    }
    let soonest: { readonly parts: readonly (Part & { outlook: Outlook })[]; readonly atMs: number } | null =
      null
    for (const offer of waiting.job.offers) {
      const parts = this.#partsOf(offer)
      if (parts === null || parts.some(({ host }) => host.reservedFor !== null)) {
        continue
      }
      const seen = parts.map(part => ({ ...part, outlook: outlookOf(part.host, part.demand, nowMs) }))
      const atMs = Math.max(...seen.map(({ outlook }) => outlook.atMs))
      if (soonest === null || atMs < soonest.atMs) {
        soonest = { parts: seen, atMs }
      }
    }
    if (soonest !== null) {
      for (const { host, demand, outlook } of soonest.parts) {
        host.reservedFor = { waiting, demand }
        host.outlook = outlook
      }
      waiting.reserved = soonest.parts.map(({ host }) => host.id)
      waiting.group.reserving = waiting
    }
  }

  /** Ends a job's reservation, if it has one. */
  #free(waiting: Waiting): void {
    if (waiting.reserved.length === 0) {
      return
    }
    for (const id of waiting.reserved) {
      const host = this.#hosts.get(id)
      if (host?.reservedFor?.waiting === waiting) {
        host.reservedFor = null
        this.#touch(host)
      }
    }
    waiting.reserved = []
    waiting.group.reserving = null
  }

  #partsOf(offer: Offer): readonly Part[] | null {
    return partsOf(claimsOf(offer), this.#hosts)
  }

  #touch(host: HostState | undefined): void {
    if (host !== undefined && !host.aside) {
      this.#open.add(host)
    }
  }
}

/** A job's offers of which some host is open. */
function* offersOn({ job, offers, isPaired }: Waiting, open: ReadonlySet<HostState>): Iterable<Offer> {
  if (!isPaired) {
    for (const { id } of open) {
      const offer = offers.get(id)
      if (offer !== undefined) {
        yield offer
      }
    }
    return
  }
  const ids = new Set([...open].map(({ id }) => id))
  yield* job.offers.filter(offer => claimsOf(offer).some(({ host }) => ids.has(host)))
}

/** Those who have reserved an open host come first, and then the others by their rank. */
function* inOrder(candidates: readonly Waiting[], open: ReadonlySet<HostState>): Iterable<Waiting> {
  const first = new Set(
    [...open].flatMap(({ reservedFor }) => reservedFor?.waiting ?? []).sort(compareWaiting),
  )
  yield* first
  for (const waiting of candidates) {
    if (!first.has(waiting)) {
      yield waiting
    }
  }
}
