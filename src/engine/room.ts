import type { Demand } from '../config/demand.js'
import type { Capacity } from '../config/model.js'
import { formatSize } from '../config/units.js'

/** What a host serves at the moment, and what of its capacity is left. */
export interface Room {
  readonly host: string
  readonly capacity: Capacity
  readonly guests: number
  readonly vcpus: number
  readonly memoryBytes: number
  readonly locks: ReadonlySet<string>
}

/** A host with nothing on it. */
export function emptyRoom(host: string, capacity: Capacity): Room {
  const { guests, vcpus, memoryBytes, locks } = capacity
  return { host, capacity, guests, vcpus, memoryBytes, locks: new Set(locks) }
}

/** Whether there is room for a further guest. */
export function hasRoom(room: Room, { guests = 1, vcpus, memoryBytes, locks }: Demand): boolean {
  return (
    room.guests >= guests &&
    room.vcpus >= vcpus &&
    room.memoryBytes >= memoryBytes &&
    locks.every(lock => room.locks.has(lock))
  )
}

/** What a host has too little of for a further guest, in words; empty where there is room. */
export function shortageOf(
  { capacity, ...room }: Room,
  { guests = 1, vcpus, memoryBytes, locks }: Demand,
): string[] {
  const inUse = (whole: number, left: number): string => `${whole - left} of ${whole}`
  return [
    ...(room.guests >= guests ? [] : [`${inUse(capacity.guests, room.guests)} guests in use`]),
    ...(room.vcpus >= vcpus ? [] : [`${inUse(capacity.vcpus, room.vcpus)} vCPUs in use`]),
    ...(room.memoryBytes >= memoryBytes
      ? []
      : [`${formatSize(room.memoryBytes)} of ${formatSize(capacity.memoryBytes)} memory left`]),
    ...locks.filter(lock => !room.locks.has(lock)).map(lock => `the lock ${lock} is taken`),
  ]
}

/** The room that is left beside a guest. */
export function take(room: Room, { guests = 1, vcpus, memoryBytes, locks }: Demand): Room {
  return {
    ...room,
    guests: room.guests - guests,
    vcpus: room.vcpus - vcpus,
    memoryBytes: room.memoryBytes - memoryBytes,
    locks: locks.length === 0 ? room.locks : new Set([...room.locks].filter(lock => !locks.includes(lock))),
  }
}

/** The room when a guest is gone. */
export function giveBack(room: Room, { guests = 1, vcpus, memoryBytes, locks }: Demand): Room {
  return {
    ...room,
    guests: room.guests + guests,
    vcpus: room.vcpus + vcpus,
    memoryBytes: room.memoryBytes + memoryBytes,
    locks: locks.length === 0 ? room.locks : new Set([...room.locks, ...locks]),
  }
}

/** How much of a host's scarcest dimension would be in use with a further guest, from 0 to 1. */
export function fillWith({ capacity, ...room }: Room, demand: Demand): number {
  return Math.max(
    share(capacity.guests, room.guests - (demand.guests ?? 1)),
    share(capacity.vcpus, room.vcpus - demand.vcpus),
    share(capacity.memoryBytes, room.memoryBytes - demand.memoryBytes),
  )
}

function share(whole: number, left: number): number {
  return Number.isFinite(whole) ? 1 - left / whole : 0
}
