import type { Held } from '../hypervisors/lease.js'
import type { Evidence, TestEnded } from '../journal/events.js'
import type { PlannedTest } from '../plan/types.js'
import { lostBeforeBegin } from '../results/judge.js'
import { describeTrouble, type Trouble } from './cause.js'
import type { Progress } from './environment.js'
import { judgeHeld } from './fence.js'
import type { InstanceRequest } from './instance.js'
import { reopenBringUp, unbegun } from './lost-bring-up.js'
import { countChecks, type Outcome } from './outcome.js'
import { atOnce, beside, ofThoseBeside } from './parallel.js'
import type { GuestSession } from './session.js'
import { runTest } from './test.js'
import { sayingFor } from './waits.js'

/** An instance that is up, and what it is to do. */
export interface Serving {
  readonly session: GuestSession
  readonly request: InstanceRequest
  /** Takes the evidence of each test, by its path. */
  readonly opened: Map<string, Evidence>
  readonly held: Held
}

/** Runs pending tests until one says that the instance can serve no more. Returns trouble for which another one is taken. */
export async function runPending(serving: Serving): Promise<Trouble | null> {
  const { progress, settings } = serving.request
  let isFresh = true
  progress.inFlight.clear()
  for (let test = progress.pending[0]; test !== undefined; test = progress.pending[0]) {
    settings.stop.throwIfAborted()
    if (settings.drain.aborted) {
      return null
    }
    if (blockIfNeeded(test, serving)) {
      continue
    }
    if (test.isolation === 'own-instance' && !isFresh) {
      return null
    }
    progress.doubt = null
    // The first test of an instance runs alone: what is lost before it had begun is no test's fault.
    const ended = isFresh
      ? await attempt(test, serving, true)
      : await atOnce(beside(progress), serving, one => attempt(one, serving, false))
    progress.inFlight.clear()
    if (ended.isOver) {
      return ended.trouble
    }
    isFresh = false
  }
  return null
}

/** What an attempt means for the instance. */
export interface AttemptEnd {
  /** It serves no further test. */
  readonly isOver: boolean
  /** For which the test is tried again on another one. */
  readonly trouble: Trouble | null
}

async function attempt(test: PlannedTest, serving: Serving, isFresh: boolean): Promise<AttemptEnd> {
  const { session, request, opened, held } = serving
  const { environment, progress, settings } = request
  const { instance } = session.source
  const number = (progress.tries.get(test.id) ?? 0) + 1
  progress.tries.set(test.id, number)
  progress.inFlight.add(test.id)
  const at = { environment: environment.id, test: test.id, attempt: number } as const
  settings.emit({ type: 'test-started', ...at, instance })
  const startedAt = performance.now()
  const wait = { ...at, what: `${test.id} to end`, limit: 'test', limitMs: test.limitMs, isQuiet: true }
  const outcome = await sayingFor(wait, settings, () =>
    judgeHeld(held, session, settings.stop, () => runTest(session, test, number, settings)),
  )
  const lost = isFresh ? lostBeforeBegin(outcome) : null
  if (lost !== null) {
    progress.inFlight.clear()
    settings.emit({ type: 'test-ended', ...at, instance, ...unbegun(lost) })
    throw reopenBringUp(lost, { environment, progress, settings, instance })
  }
  const trouble = outcome.trouble === undefined ? null : describeTrouble(outcome.trouble)
  const again = trouble?.retryable === true && progress.retriesLeft > 0
  for (const check of outcome.checks) {
    settings.emit({ type: 'check', ...at, ...check })
  }
  for (const file of outcome.evidence) {
    opened.set(file.path, file)
  }
  settings.emit({
    type: 'test-ended',
    ...at,
    instance,
    ...verdictFields(outcome),
    reason: ofThoseBeside(outcome, progress),
    durationMs: Math.round(performance.now() - startedAt),
    final: !again,
  })
  if (!outcome.spoilt) {
    progress.inFlight.delete(test.id)
  }
  if (again) {
    return { isOver: true, trouble }
  }
  progress.doubt = trouble ?? progress.doubt
  endTest(test, outcome, progress)
  return { isOver: outcome.spoilt || test.isolation !== 'shared', trouble: null }
}

function verdictFields(outcome: Outcome): {
  verdict: Outcome['verdict']
  reason: string
  checks: ReturnType<typeof countChecks>
  evidence: readonly Evidence[]
  stderr?: string
} {
  const { verdict, cause, reason, checks, measures, evidence, exit, stderr } = outcome
  return {
    verdict,
    reason,
    checks: countChecks(checks),
    evidence,
    ...(cause === undefined ? {} : { cause }),
    ...(exit === undefined ? {} : { exit }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(Object.keys(measures).length === 0 ? {} : { measures }),
  }
}

function endTest(
  test: PlannedTest,
  { verdict, cause }: Pick<TestEnded, 'verdict' | 'cause'>,
  progress: Progress,
): void {
  progress.ended.set(test.id, { verdict, ...(cause === undefined ? {} : { cause }) })
  progress.pending = progress.pending.filter(({ id }) => id !== test.id)
}

/** A test whose predecessor was not seen to pass is not tried. */
function blockIfNeeded(test: PlannedTest, { session, request }: Serving): boolean {
  const { environment, progress, settings } = request
  const needed = test.after.find(id => progress.ended.get(id)?.verdict !== 'pass')
  if (needed === undefined) {
    return false
  }
  const { verdict = 'not-run', cause = 'unknown' } = progress.ended.get(needed) ?? {}
  settings.emit({
    type: 'test-ended',
    environment: environment.id,
    test: test.id,
    attempt: (progress.tries.get(test.id) ?? 0) + 1,
    instance: session.source.instance,
    verdict: 'blocked',
    cause,
    reason: `it needs ${needed}, whose verdict is ${verdict}`,
    durationMs: 0,
    checks: { ok: 0, notOk: 0, todo: 0, skip: 0 },
    evidence: [],
    final: true,
  })
  endTest(test, { verdict: 'blocked', cause }, progress)
  return true
}
