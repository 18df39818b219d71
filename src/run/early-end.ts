import { formatDuration } from '../config/units.js'
import { deadlineSignal } from '../deadline/deadline.js'
import type { EventBody } from '../journal/events.js'
import { bootTestId } from '../plan/boot.js'
import type { Plan } from '../plan/types.js'

/** What ends a run before its plan, when nobody interrupts it. */
export interface EarlyEnd {
  /** Once aborted, nothing new is begun. */
  readonly drain: AbortSignal
  /** Aborts at the run's limit, with that as the reason. */
  readonly expired: AbortSignal
  /** Looks at what the engine has just said. */
  observe(body: EventBody): void
  /** Why the run ends early, in words; `null` while it does not. */
  why(): string | null
  clear(): void
}

/** Watches over the limit of a run and, for one that is to fail fast, over its verdicts. */
export function watchForEarlyEnd(plan: Plan, failFast: boolean): EarlyEnd {
  const drain = new AbortController()
  let why: string | null = null
  const end = (reason: string): void => {
    why ??= reason
    drain.abort(new Error(reason))
  }
  const { run } = plan.limits
  const limit = deadlineSignal({ name: 'run', ms: run, where: 'the run', cause: 'runner' })
  limit.signal.addEventListener('abort', () => end(`the limit "run" of ${formatDuration(run)} was reached`), {
    once: true,
  })
  const required = failFast ? requiredTests(plan) : new Set<string>()
  return {
    drain: drain.signal,
    expired: limit.signal,
    observe: body => {
      if (
        body.type !== 'test-ended' ||
        !body.final ||
        (body.verdict !== 'fail' && body.verdict !== 'error')
      ) {
        return
      }
      if (required.has(`${body.environment} ${body.test}`)) {
        end(`${body.test} in ${body.environment} ended with the verdict ${body.verdict} (--fail-fast)`)
      }
    },
    why: () => why,
    clear: () => limit.clear(),
  }
}

/** A bring-up is required of every environment that has a required test. */
function requiredTests({ environments }: Plan): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const { id, tests } of environments) {
    for (const test of tests) {
      if (test.level === 'required' && test.id !== bootTestId) {
        keys.add(`${id} ${test.id}`)
        keys.add(`${id} ${bootTestId}`)
      }
    }
  }
  return keys
}
