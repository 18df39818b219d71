import type { Demand } from '../config/demand.js'
import type { Capacity } from '../config/model.js'
import type { Job, Waiting } from './queue.js'
import { emptyRoom, giveBack, hasRoom, type Room, take } from './room.js'

/** A job on a host. */
export interface Running {
  readonly job: Job
  readonly host: HostState
  readonly demand: Demand
  /** When it should end, by its estimate. */
  readonly endsAtMs: number
}

/** A host as the admission knows it. */
export interface HostState {
  readonly id: string
  readonly running: Set<Running>
  room: Room
  aside: boolean
  reservedFor: Waiting | null
  /** When the reservation can be kept, and what is left beside it then; `null` when it must be found anew. */
  outlook: Outlook | null
}

/** What a reservation comes to. */
export interface Outlook {
  readonly atMs: number
  readonly spare: Room
}

/** A host on which nothing is yet. */
export function stateOf(id: string, capacity: Capacity): HostState {
  return {
    id,
    running: new Set(),
    room: emptyRoom(id, capacity),
    aside: false,
    reservedFor: null,
    outlook: null,
  }
}

/** What a job takes of one of its hosts. */
export function demandOn({ job, demands }: Waiting, host: string): Demand {
  const demand = demands.get(host)
  if (demand === undefined) {
    throw new TypeError(`${job.id} has no place on ${host}`)
  }
  return demand
}

/** When, by the estimates, there is room for the job that has reserved a host, and what is left beside it then. */
export function outlookOf(host: HostState, waiting: Waiting, nowMs: number): Outlook {
  const demand = demandOn(waiting, host.id)
  const ends = [...host.running].sort((a, b) => a.endsAtMs - b.endsAtMs)
  let room = host.room
  let atMs = nowMs
  for (const running of ends) {
    if (hasRoom(room, demand)) {
      break
    }
    // What is late may end at any moment: nothing is squeezed in before it.
    atMs = Math.max(nowMs, running.endsAtMs)
    room = giveBack(room, running.demand)
  }
  return { atMs, spare: take(room, demand) }
}
