import type { Capacity, Placement } from './model.js'

/** What one guest takes of a host's capacity while it is there. */
export interface Demand {
  /** 1 if absent. */
  readonly guests?: number
  readonly vcpus: number
  readonly memoryBytes: number
  readonly locks: readonly string[]
}

/** What a guest placed so takes. What the lab does not say is not counted: the loader asks for it where a host counts it. */
export function demandOf(placement: Placement, locks: readonly string[] = []): Demand {
  const { vcpus = 0, memoryBytes = 0 } = placement.configuration
  return { vcpus, memoryBytes, locks: [...new Set([...(placement.locks ?? []), ...locks])] }
}

/** What two guests on one host take together. */
export function together(one: Demand, other: Demand): Demand {
  return {
    guests: (one.guests ?? 1) + (other.guests ?? 1),
    vcpus: one.vcpus + other.vcpus,
    memoryBytes: one.memoryBytes + other.memoryBytes,
    locks: [...new Set([...one.locks, ...other.locks])],
  }
}

/** Whether a host that serves nothing else can bear it. */
export function fitsEmpty({ guests = 1, vcpus, memoryBytes, locks }: Demand, capacity: Capacity): boolean {
  return (
    capacity.guests >= guests &&
    vcpus <= capacity.vcpus &&
    memoryBytes <= capacity.memoryBytes &&
    locks.every(lock => capacity.locks.includes(lock))
  )
}
