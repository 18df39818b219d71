import type { Admission } from './admission.js'
import type { RunSettings } from './settings.js'

/**
 * Says at intervals (limit `notice`) for what room environments wait, and since when: one word for all that wait for
 * the same hosts. Returns what ends it.
 */
export function tellCapacityWaits(
  admission: Pick<Admission, 'waits'>,
  { emit, plan }: Pick<RunSettings, 'emit' | 'plan'>,
): () => void {
  const timer = setInterval(() => {
    const [now, nowMs] = [Date.now(), performance.now()]
    for (const { job, sinceMs, others, what } of admission.waits()) {
      const more =
        others === 0 ? '' : `, with ${others} more ${others === 1 ? 'environment' : 'environments'}`
      emit({
        type: 'waiting',
        environment: job.id,
        what: `${what}${more}`,
        since: new Date(now - (nowMs - sinceMs)).toISOString(),
      })
    }
  }, plan.limits.notice)
  timer.unref()
  return () => clearInterval(timer)
}
