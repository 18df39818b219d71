import type { Demand } from '../config/demand.js'
import type { Capacity } from '../config/model.js'
import type { Claim, Job, Waiting } from './queue.js'
import { emptyRoom, giveBack, hasRoom, type Room, take } from './room.js'

/** A job on a host. */
export interface Running {
  readonly job: Job
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
  /** Who it is kept for, and what that will take of it. */
  reservedFor: { readonly waiting: Waiting; readonly demand: Demand } | null
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

/** A part of what a job takes: of one host. */
export interface Part {
  readonly host: HostState
  readonly demand: Demand
}

/** The hosts of an offer; `null` when one of them serves nothing. */
export function partsOf(
  claims: readonly Claim[],
  hosts: ReadonlyMap<string, HostState>,
): readonly Part[] | null {
  const parts = claims.flatMap(({ host: id, demand }) => {
    const host = hosts.get(id)
    return host === undefined || host.aside ? [] : [{ host, demand }]
  })
  return parts.length === claims.length ? parts : null
}

/** When, by the estimates, there is room for that much on a host, and what is left beside it then. */
export function outlookOf(host: HostState, demand: Demand, nowMs: number): Outlook {
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
