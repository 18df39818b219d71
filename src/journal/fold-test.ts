import { isBringUp } from '../plan/boot.js'
import type { PlannedTest } from '../plan/types.js'
import { judge, type OpenAttempt } from './attempts.js'
import type { CheckSeen, EventStamp, TestEnded, TestStarted } from './events.js'
import type { AttemptState, TestState } from './state.js'

type TestEvent = EventStamp & (TestStarted | CheckSeen | TestEnded)

/** Gathers the events of one planned test. */
export interface TestFold {
  add(event: TestEvent): void
  /** What became of the test so far. */
  state(): TestState
  /** Where the journal contradicts itself about this test. */
  problems(): readonly string[]
}

/** Starts to gather what the journal says about one planned test. */
export function foldTest(environment: string, planned: PlannedTest): TestFold {
  const attempts: OpenAttempt[] = []
  const found: string[] = []
  // States are asked for far more often than they change.
  let known: { readonly state: TestState; readonly problems: readonly string[] } | null = null

  function attemptOf(event: TestEvent): OpenAttempt {
    const last = attempts.at(-1)
    const same = last?.attempt === event.attempt && last.epoch === event.epoch
    // A second start of the same attempt hides nothing: it is kept as an attempt of its own.
    if (last !== undefined && same && event.type !== 'test-started') return last
    const started = event.type === 'test-started' ? event : null
    const open: OpenAttempt = {
      attempt: event.attempt,
      epoch: event.epoch,
      started,
      checks: [],
      ended: null,
    }
    attempts.push(open)
    return open
  }

  function add(event: TestEvent): void {
    known = null
    if (attempts.some(attempt => binds(planned, attempt, event.epoch))) {
      found.push(`${planned.id} in ${environment}: the journal goes on after its final result`)
    }
    const open = attemptOf(event)
    if (event.type === 'check') open.checks.push(event)
    if (event.type === 'test-ended' && !(open.ended !== null && open.ended.verdict !== 'pass')) {
      open.ended = event
    }
  }

  function judged(): NonNullable<typeof known> {
    known ??= {
      state: stateOf(environment, planned, attempts),
      problems: [
        ...found.slice(0, 1),
        ...attempts.flatMap(open => {
          const { problem } = judge(open)
          return problem === null ? [] : [`${planned.id} in ${environment}: ${problem}`]
        }),
      ],
    }
    return known
  }

  return { add, state: () => judged().state, problems: () => judged().problems }
}

function stateOf(environment: string, planned: PlannedTest, open: readonly OpenAttempt[]): TestState {
  const attempts = open.map(one => judge(one).attempt)
  const decisive = decisiveOf(planned, open, attempts)
  if (decisive === undefined) {
    const reason = 'the run ended before it'
    return {
      planned,
      environment,
      verdict: 'not-run',
      cause: 'runner',
      reason,
      flaky: false,
      settled: false,
      stands: false,
      decisive: null,
      attempts,
    }
  }
  const { verdict, cause, reason } = decisive
  const last = open.at(-1)
  const tried = attempts.filter(
    (one, at) => (one.verdict === 'fail' || one.verdict === 'error') && !isCutOff(open[at], one, last?.epoch),
  )
  const stands = open.some(one => binds(planned, one, Number.POSITIVE_INFINITY))
  return {
    planned,
    environment,
    verdict,
    cause,
    reason,
    flaky: verdict === 'pass' && tried.length > 0,
    settled: stands || (last?.ended?.final ?? false),
    stands,
    decisive,
    attempts,
  }
}

/** True of an attempt that ended with its runner, and was begun anew by a later session: that is nobody's fault. */
function isCutOff(open: OpenAttempt | undefined, { verdict }: AttemptState, epoch = 0): boolean {
  return open !== undefined && open.ended === null && open.epoch < epoch && verdict === 'error'
}

/**
 * The attempt whose verdict is the test's: the last, unless an earlier one that bound it was no pass.
 * So nothing that a journal says after a final failure makes it green.
 */
function decisiveOf(
  planned: PlannedTest,
  open: readonly OpenAttempt[],
  attempts: readonly AttemptState[],
): AttemptState | undefined {
  const bound = attempts.find((attempt, index) => {
    const one = open[index]
    const next = open[index + 1]
    return (
      one !== undefined && next !== undefined && attempt.verdict !== 'pass' && binds(planned, one, next.epoch)
    )
  })
  return bound ?? attempts.at(-1)
}

/**
 * True when nothing may follow this attempt in the given epoch. A later session may try again what was
 * not carried out (`error`, `blocked`, `not-run`), and nothing else. An environment may need several guests one after
 * the other: that one was brought up settles nothing about the next.
 */
function binds(planned: PlannedTest, { ended, checks, epoch: since }: OpenAttempt, epoch: number): boolean {
  // A check that failed before the runner died has failed.
  if (ended === null) return epoch !== since && checks.some(check => check.state === 'not-ok')
  if (!ended.final) return false
  if (isBringUp(planned) && ended.verdict === 'pass') return false
  return epoch === since || ended.verdict === 'pass' || ended.verdict === 'fail' || ended.verdict === 'skip'
}
