import type { Demand } from '../src/config/demand.js'
import type { Capacity } from '../src/config/model.js'
import type { Job } from '../src/engine/queue.js'

/** A lab and its environments, as the admission sees them. */
export interface CapacityLab {
  readonly hosts: readonly { readonly id: string; readonly capacity: Capacity }[]
  readonly jobs: readonly Job[]
}

/** What a generated lab is like. */
export interface LabShape {
  readonly environments: number
  readonly hosts: number
  /** Hosts of one product and version serve the same environments. */
  readonly pairings: number
  /** `guests`: all environments take one place of a host. `mixed`: guests, vCPUs, memory and locks. */
  readonly dimensions: 'guests' | 'mixed'
}

const gib = 2 ** 30
const minuteMs = 60_000
/** Environments that need a lock, of 100. */
const lockPercent = 4

/**
 * Makes a lab from a seed; the same seed makes the same lab. Durations are log-normal around 20 minutes
 * (most between 10 and 40, none above 90), guests have 1 to 8 vCPUs and 1 to 16 GiB, hosts bear 4 to 8
 * guests, 8 to 32 vCPUs and 16 to 64 GiB, and every mixed host has two locks.
 */
export function generateLab(seed: number, shape: LabShape): CapacityLab {
  const random = generator(seed)
  const pick = <T>(values: readonly [T, ...T[]]): T =>
    values[Math.floor(random() * values.length)] ?? values[0]
  const hosts = Array.from({ length: shape.hosts }, (_, index) => ({
    id: `host-${index + 1}`,
    capacity: mixed(shape)
      ? {
          guests: pick([4, 6, 8]),
          vcpus: pick([8, 16, 24, 32]),
          memoryBytes: pick([16, 32, 48, 64]) * gib,
          locks: ['vlan', 'tape'],
        }
      : { guests: pick([2, 3, 4]), vcpus: Infinity, memoryBytes: Infinity, locks: [] },
  }))
  const jobs = Array.from({ length: shape.environments }, (_, index): Job => {
    const pairing = Math.floor(random() * shape.pairings)
    const demand: Demand = {
      vcpus: pick([1, 1, 2, 2, 4, 8]),
      memoryBytes: pick([1, 2, 2, 4, 4, 8, 16]) * gib,
      locks: mixed(shape) && random() * 100 < lockPercent ? [pick(['vlan', 'tape'])] : [],
    }
    const serving = hosts.filter((_host, number) => number % shape.pairings === pairing)
    return {
      id: `environment-${index + 1}`,
      estimateMs: Math.min(90, Math.max(2, 20 * Math.exp(0.7 * normal(random)))) * minuteMs,
      offers: serving.map(({ id }) => ({ host: id, demand })),
    }
  })
  return { hosts, jobs }
}

function mixed({ dimensions }: LabShape): boolean {
  return dimensions === 'mixed'
}

/** No schedule can be shorter: the longest, the work of each pairing in each dimension, the work behind each lock. */
export function lowerBoundMs({ hosts, jobs }: CapacityLab): number {
  const capacityOf = new Map(hosts.map(({ id, capacity }) => [id, capacity]))
  const pairings = new Map<string, Job[]>()
  for (const job of jobs) {
    const key = job.offers.map(({ host }) => host).join(' ')
    pairings.set(key, [...(pairings.get(key) ?? []), job])
  }
  const bounds = [...pairings.values()].flatMap(all => {
    const serving = all[0]?.offers.flatMap(({ host }) => capacityOf.get(host) ?? []) ?? []
    const whole = (of: (capacity: Capacity) => number): number =>
      serving.reduce((sum, capacity) => sum + of(capacity), 0)
    const work = (of: (demand: Demand) => number): number =>
      all.reduce(
        (sum, { estimateMs, offers: [offer] }) => sum + (offer ? of(offer.demand) * estimateMs : 0),
        0,
      )
    const locks = new Set(all.flatMap(({ offers: [offer] }) => offer?.demand.locks ?? []))
    return [
      work(() => 1) / whole(({ guests }) => guests),
      work(({ vcpus }) => vcpus) / whole(({ vcpus }) => vcpus),
      work(({ memoryBytes }) => memoryBytes) / whole(({ memoryBytes }) => memoryBytes),
      ...[...locks].map(
        lock =>
          work(demand => Number(demand.locks.includes(lock))) /
          whole(capacity => Number(capacity.locks.includes(lock))),
      ),
    ]
  })
  return Math.max(...bounds, ...jobs.map(({ estimateMs }) => estimateMs))
}

/** Mulberry32: numbers from 0 to 1 that a seed determines. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixedUp = Math.imul(state ^ (state >>> 15), state | 1)
    mixedUp ^= mixedUp + Math.imul(mixedUp ^ (mixedUp >>> 7), mixedUp | 61)
    return ((mixedUp ^ (mixedUp >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Box and Muller's transform. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
