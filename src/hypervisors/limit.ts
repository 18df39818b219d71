import { setTimeout as wait } from 'node:timers/promises'
import { InfraError } from '../config/errors.js'
import {
  connectionLimitNames,
  defaultHostLimits,
  type GivenHostLimits,
  type HostLimitName,
} from '../config/host-limits.js'
import { defaultLimits, type Limits } from '../config/limits.js'
import { withDeadline } from '../deadline/deadline.js'

/** A named bound on one wait, in ms. */
export interface Limit {
  readonly name: string
  readonly ms: number
}

/** Every wait of a driver, by name, and what is kept of a console. */
export type HostLimits = Readonly<Record<Exclude<HostLimitName, 'consoleSize'>, Limit>> & {
  readonly consoleBytes: number
}

/** A host's limits: what the lab says, else what its driver begins with, else what all drivers do. */
export function hostLimits(given: GivenHostLimits = {}, own: GivenHostLimits = {}): HostLimits {
  const { consoleSize: consoleBytes, ...waits } = { ...defaultHostLimits, ...own, ...given }
  const named = Object.entries(waits).map(([name, ms]) => [name, { name: `host ${name}`, ms }])
  return { ...Object.fromEntries(named), consoleBytes } as HostLimits
}

/** The limits of connecting to a host. */
export function connectionLimits(limits: HostLimits): Limits {
  const reach = connectionLimitNames.map(name => [name, limits[name].ms])
  return { ...defaultLimits, ...Object.fromEntries(reach) }
}

/** Waits for an answer within a limit; the caller's signal ends the wait at once. */
export function bounded<T>(
  answer: Promise<T>,
  where: string,
  what: string,
  limit: Limit,
  signal: AbortSignal,
): Promise<T> {
  const cancelled = (): Error =>
    new InfraError(`${where}: ${what} was cancelled`, { cause: 'runner', where, code: 'cancelled' })
  return withDeadline({ ...limit, where, what, cause: 'host', signal, cancelled }, () => answer)
}

/** Looks at something until it holds; false when it does not within the limit. */
export async function untilHolds(
  holds: () => Promise<boolean> | boolean,
  { limit, everyMs, signal }: { limit: Limit; everyMs: number; signal: AbortSignal },
): Promise<boolean> {
  const startedAt = performance.now()
  while (!(await holds())) {
    if (performance.now() - startedAt > limit.ms) {
      return false
    }
    await wait(everyMs, undefined, { signal })
  }
  return true
}

/** Resolves when the signal aborts; at once when it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) {
      resolve()
    } else {
      signal.addEventListener('abort', () => resolve(), { once: true })
    }
  })
}
