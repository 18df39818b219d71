import type { Plan } from '../../../plan/types.js'
import type { Activity } from './activity.js'

/** How long a test took before, in ms; `undefined` where no earlier run tells. */
export type Expectations = (environment: string, test: string) => number | undefined

/** Below this share of tests with a history, a guess would be worth nothing. */
const leastKnown = 0.7

/** How long a run will still take, by earlier runs; `null` where they tell too little. */
export function leftMs({
  activity,
  plan,
  expectations,
  parallel,
  nowMs,
}: {
  readonly activity: Activity
  readonly plan: Plan
  readonly expectations: Expectations
  readonly parallel: number
  readonly nowMs: number
}): number | null {
  const running = new Map(activity.doing.map(one => [`${one.environment}\n${one.test}`, one]))
  let [known, total, sum, longest] = [0, 0, 0, 0]
  for (const { id, tests } of plan.environments) {
    let own = 0
    for (const test of tests) {
      if (activity.isFinished(id, test.id)) continue
      total += 1
      const expected = expectations(id, test.id)
      if (expected === undefined) continue
      known += 1
      const since = running.get(`${id}\n${test.id}`)?.sinceMs
      own += since === undefined ? expected : Math.max(0, expected - (nowMs - since))
    }
    sum += own
    longest = Math.max(longest, own)
  }
  if (total === 0 || known / total < leastKnown) return null
  return Math.max(longest, sum / Math.max(1, parallel)) * (total / known)
}
