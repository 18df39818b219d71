import { setTimeout as wait } from 'node:timers/promises'

/** How long a guest may take to find new hardware, or to let go of it. */
const limitMs = 30_000
const everyMs = 500

/** Looks until there is something to see; undefined when there is not, within the limit. */
export async function untilSeen<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
  const startedAt = performance.now()
  for (;;) {
    const seen = await look()
    if (seen !== undefined || performance.now() - startedAt > limitMs) return seen
    await wait(everyMs)
  }
}
