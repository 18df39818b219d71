import type { Cause } from '../config/errors.js'
import type { TestEnded } from '../journal/events.js'
import type { PlannedEnvironment, PlannedTest } from '../plan/types.js'
import { describeTrouble, isRetryable, type Trouble } from './cause.js'
import { serveInstance } from './instance.js'
import { limitSignal } from './limit.js'
import type { RunSettings } from './settings.js'

/** What an environment still has to do, and what it has learnt. */
export interface Progress {
  /** Tests without a final verdict, in the plan's order. */
  pending: PlannedTest[]
  /** Tries of each test so far. */
  readonly tries: Map<string, number>
  /** Final verdicts, by test. */
  readonly ended: Map<string, { verdict: TestEnded['verdict']; cause?: Cause }>
  /** New instances that may still be taken for trouble that is not the guest's. */
  retriesLeft: number
}

/** Takes one environment from its first instance to its last test. Never throws for trouble: it says it. */
export async function serveEnvironment(
  environment: PlannedEnvironment,
  firstHost: string,
  settings: RunSettings,
): Promise<void> {
  const progress: Progress = {
    pending: [...environment.tests],
    tries: new Map(),
    ended: new Map(),
    retriesLeft: settings.retries,
  }
  const { signal, clear } = limitSignal({
    name: 'environment',
    ms: settings.plan.limits.environment,
    where: environment.id,
    signal: settings.stop,
  })
  try {
    // Not raced against the limit: what was started is undone before the environment counts as ended.
    await serveInstances(environment, firstHost, progress, { ...settings, stop: signal })
  } catch (error) {
    if (!settings.stop.aborted) {
      endPending(environment, progress, describeTrouble(error), settings)
    }
  } finally {
    clear()
  }
  settings.emit({ type: 'environment-ended', environment: environment.id })
}

async function serveInstances(
  environment: PlannedEnvironment,
  firstHost: string,
  progress: Progress,
  settings: RunSettings,
): Promise<void> {
  let host = firstHost
  for (let number = 1; progress.pending.length > 0 && !settings.drain.aborted; number += 1) {
    settings.stop.throwIfAborted()
    const trouble = await serveInstance({ environment, host, number, progress, settings })
    settings.stop.throwIfAborted()
    if (trouble === null) {
      continue
    }
    if (!isRetryable(trouble) || progress.retriesLeft === 0) {
      endPending(environment, progress, trouble, settings)
      return
    }
    progress.retriesLeft -= 1
    host = otherHost(environment, host, trouble)
  }
}

/** After trouble with a host, the next instance goes to another host of the same pairing, if there is one. */
function otherHost(environment: PlannedEnvironment, host: string, trouble: Trouble): string {
  const others = environment.hosts.filter(other => other !== host)
  return trouble.cause === 'host' ? (others[0] ?? host) : host
}

/**
 * No instance can be had any more: the test whose turn it was gets the verdict, and those behind
 * it are blocked by it.
 */
function endPending(
  environment: PlannedEnvironment,
  progress: Progress,
  trouble: Trouble,
  { emit }: RunSettings,
): void {
  const [first, ...others] = progress.pending
  progress.pending = []
  const common = { type: 'test-ended', environment: environment.id, instance: null, durationMs: 0 } as const
  const nothing = { checks: { ok: 0, notOk: 0, todo: 0, skip: 0 }, evidence: [], final: true } as const
  for (const test of first === undefined ? [] : [first, ...others]) {
    const isFirst = test === first
    emit({
      ...common,
      test: test.id,
      attempt: (progress.tries.get(test.id) ?? 0) + 1,
      verdict: isFirst ? (trouble.cause === 'guest' ? 'fail' : 'error') : 'blocked',
      cause: trouble.cause,
      reason: isFirst ? trouble.message : `no instance was left to run it on: see ${first?.id}`,
      ...nothing,
    })
  }
}
