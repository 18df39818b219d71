import { type Demand, fitsEmpty } from '../config/demand.js'
import type { Capacity } from '../config/model.js'
import { demandOn, type HostState, type Outlook, outlookOf, type Running, stateOf } from './host-state.js'
import { compareWaiting, type Job, type Waiting, WaitingList } from './queue.js'
import { fillWith, giveBack, hasRoom, take } from './room.js'

/** A job that may begin now, and where. */
export interface Grant {
  readonly job: Job
  readonly host: string
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
  readonly #running = new Map<string, Running>()
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
    const offers = job.offers.filter(({ host, demand }) => {
      const state = this.#hosts.get(host)
      return state !== undefined && !state.aside && fitsEmpty(demand, state.room.capacity)
    })
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
    const running = this.#running.get(jobId)
    if (running === undefined) {
      throw new TypeError(`${jobId} is not running`)
    }
    const { host, demand } = running
    this.#running.delete(jobId)
    host.running.delete(running)
    host.room = giveBack(host.room, demand)
    this.#touch(host)
  }

  /** A host serves nothing more. Returns the waiting jobs that have no other host: they wait no longer. */
  setAside(hostId: string): Job[] {
    const host = this.#hosts.get(hostId)
    if (host === undefined) {
      return []
    }
    host.aside = true
    this.#free(host)
    const stranded = [...this.#waiting].filter(({ job }) =>
      job.offers.every(offer => this.#hosts.get(offer.host)?.aside === true),
    )
    this.#waiting.remove(stranded)
    return stranded.map(({ job }) => job)
  }

  /** Nothing that waits is wanted any more. */
  drop(): void {
    this.#waiting.remove([...this.#waiting])
  }

  #pass(open: Set<HostState>, nowMs: number, grants: Grant[]): void {
    const candidates = this.#waiting.candidates(open)
    const begun: Waiting[] = []
    for (const waiting of inOrder(candidates, open)) {
      if (this.#running.size >= this.#parallel) {
        for (const host of open) {
          this.#open.add(host)
        }
        break
      }
      const host = this.#choose(waiting, open, nowMs)
      if (host === null) {
        this.#reserve(waiting, nowMs)
        continue
      }
      begun.push(waiting)
      this.#begin(waiting, host, nowMs)
      grants.push({ job: waiting.job, host: host.id })
      if (host.room.guests < 1) {
        open.delete(host)
      }
      if (open.size === 0) {
        break
      }
    }
    this.#waiting.remove(begun)
  }

  /** Among the open hosts with room for it, the one that is left emptiest: filling up one after the other strands room. */
  #choose(waiting: Waiting, open: ReadonlySet<HostState>, nowMs: number): HostState | null {
    let best: HostState | null = null
    let bestFill = Number.POSITIVE_INFINITY
    for (const host of open) {
      const demand = waiting.demands.get(host.id)
      if (demand === undefined || !hasRoom(host.room, demand)) {
        continue
      }
      const fill = fillWith(host.room, demand)
      const better = fill < bestFill || (fill === bestFill && host.running.size < (best?.running.size ?? 0))
      if (better && this.#mayUse(host, waiting, demand, nowMs)) {
        best = host
        bestFill = fill
      }
    }
    return best
  }

  #mayUse(host: HostState, { job, reserved }: Waiting, demand: Demand, nowMs: number): boolean {
    if (host.reservedFor === null || reserved === host.id) {
      return true
    }
    host.outlook ??= outlookOf(host, host.reservedFor, nowMs)
    return nowMs + job.estimateMs <= host.outlook.atMs || hasRoom(host.outlook.spare, demand)
  }

  #begin(waiting: Waiting, host: HostState, nowMs: number): void {
    const { job } = waiting
    const demand = demandOn(waiting, host.id)
    const running = { job, host, demand, endsAtMs: nowMs + job.estimateMs }
    this.#running.set(job.id, running)
    host.running.add(running)
    host.room = take(host.room, demand)
    host.outlook = null
    if (waiting.reserved !== null) {
      this.#free(this.#hosts.get(waiting.reserved))
    }
  }

  /**
   * Where a job that has waited long can begin soonest, nobody else may get in its way. One at a time of
   * those whom the same hosts serve: each in its turn, and the other hosts are not held up.
   */
  #reserve(waiting: Waiting, nowMs: number): void {
    if (waiting.group.reserving !== null || nowMs - waiting.sinceMs < this.#reserveAfterMs) {
      return
    }
    let soonest: { host: HostState; outlook: Outlook } | null = null
    for (const { host: id } of waiting.job.offers) {
      const host = this.#hosts.get(id)
      if (host === undefined || host.aside || host.reservedFor !== null) {
        continue
      }
      const outlook = outlookOf(host, waiting, nowMs)
      if (soonest === null || outlook.atMs < soonest.outlook.atMs) {
        soonest = { host, outlook }
      }
    }
    if (soonest !== null) {
      soonest.host.reservedFor = waiting
      soonest.host.outlook = soonest.outlook
      waiting.reserved = soonest.host.id
      waiting.group.reserving = waiting
    }
  }

  /** Ends a host's reservation. */
  #free(host: HostState | undefined): void {
    if (host !== undefined && host.reservedFor !== null) {
      host.reservedFor.reserved = null
      host.reservedFor.group.reserving = null
      host.reservedFor = null
      this.#touch(host)
    }
  }

  #touch(host: HostState | undefined): void {
    if (host !== undefined && !host.aside) {
      this.#open.add(host)
    }
  }
}

/** Those who have reserved an open host come first, and then the others by their rank. */
function* inOrder(candidates: readonly Waiting[], open: ReadonlySet<HostState>): Iterable<Waiting> {
  const first = new Set([...open].flatMap(({ reservedFor }) => reservedFor ?? []).sort(compareWaiting))
  yield* first
  for (const waiting of candidates) {
    if (!first.has(waiting)) {
      yield waiting
    }
  }
}
