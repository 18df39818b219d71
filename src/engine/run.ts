import pLimit, { type LimitFunction } from 'p-limit'
import type { PlannedEnvironment } from '../plan/types.js'
import { serveEnvironment } from './environment.js'
import type { RunSettings } from './settings.js'

/**
 * Carries a plan out. Resolves when every environment has ended and is undone; what happened is
 * said through `emit` alone. The host's limit stands outside and the run's inside, so that an
 * environment that waits for a busy host holds no place that another host could use.
 */
export async function runPlan(settings: RunSettings): Promise<void> {
  const hostLimits = new Map<string, LimitFunction>()
  for (const host of settings.lab.hosts.values()) {
    hostLimits.set(host.id, pLimit(host.capacity.guests))
  }
  const runLimit = pLimit(settings.parallel)
  const waiting = settings.plan.environments.map(environment => {
    const host = leastBusy(environment, hostLimits)
    const limit = hostLimits.get(host) ?? runLimit
    return limit(() =>
      runLimit(async () => {
        if (!settings.drain.aborted) {
          await serveEnvironment(environment, host, settings)
        }
      }),
    )
  })
  await Promise.all(waiting)
}

/** Among the hosts of a pairing, the one with the shortest queue. */
function leastBusy(environment: PlannedEnvironment, limits: ReadonlyMap<string, LimitFunction>): string {
  const load = (host: string): number => {
    const limit = limits.get(host)
    return limit === undefined ? 0 : (limit.activeCount + limit.pendingCount) / limit.concurrency
  }
  const [first = ''] = [...environment.hosts].sort((a, b) => load(a) - load(b))
  return first
}
