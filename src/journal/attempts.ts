import type { Cause } from '../config/errors.js'
import type { CheckSeen, TestEnded, TestStarted, Verdict } from './events.js'
import type { AttemptState, CheckCounts } from './state.js'

/** What the journal has said so far about one try of one test. */
export interface OpenAttempt {
  readonly attempt: number
  readonly epoch: number
  readonly started: (TestStarted & { readonly at: string }) | null
  readonly checks: CheckSeen[]
  ended: TestEnded | null
}

/** What a judged attempt is, and where the journal contradicts itself about it. */
export interface Judged {
  readonly attempt: AttemptState
  readonly problem: string | null
}

/**
 * Judges one attempt from what the journal holds of it. A pass stands only if everything seen agrees
 * with it. An attempt without an end is `fail` if a failed check was seen, else `error`.
 */
export function judge(open: OpenAttempt): Judged {
  const contradiction = contradictionIn(open)
  return { attempt: { ...basics(open), ...outcomeOf(open, contradiction) }, problem: contradiction }
}

function basics(open: OpenAttempt): Omit<AttemptState, 'verdict' | 'cause' | 'reason'> {
  const { started, ended, checks } = open
  return {
    attempt: open.attempt,
    instance: ended?.instance ?? started?.instance ?? null,
    startedAt: started?.at ?? null,
    ended: ended !== null,
    durationMs: ended === null ? 0 : Math.max(0, ended.durationMs),
    exit: ended?.exit ?? null,
    counts: ended?.checks ?? counted(checks),
    checks: checks.map(({ state, text, diagnostics }) => ({
      state,
      text,
      ...(diagnostics === undefined ? {} : { diagnostics }),
    })),
    measures: ended?.measures ?? {},
    step: ended?.step ?? null,
    evidence: ended?.evidence ?? [],
    stderr: ended?.stderr ?? '',
  }
}

interface Outcome {
  readonly verdict: Verdict
  readonly cause: Cause | null
  readonly reason: string
}

function outcomeOf({ ended, checks }: OpenAttempt, contradiction: string | null): Outcome {
  const failed = checks.find(check => check.state === 'not-ok')
  if (contradiction !== null) {
    return failed === undefined
      ? { verdict: 'error', cause: 'runner', reason: contradiction }
      : { verdict: 'fail', cause: 'guest', reason: `${failed.text} (${contradiction})` }
  }
  if (ended !== null) {
    if (ended.verdict === 'pass') return { verdict: 'pass', cause: null, reason: '' }
    return { verdict: ended.verdict, cause: ended.cause ?? 'unknown', reason: ended.reason }
  }
  return failed === undefined
    ? { verdict: 'error', cause: 'runner', reason: 'it was started, but the journal has no end of it' }
    : { verdict: 'fail', cause: 'guest', reason: failed.text }
}

/** Why a journalled pass cannot be one, or `null`. */
function contradictionIn({ ended, checks }: OpenAttempt): string | null {
  if (ended?.verdict !== 'pass') return null
  if (ended.checks.notOk > 0 || checks.some(check => check.state === 'not-ok')) {
    return 'journalled as a pass with a failed check'
  }
  if (ended.checks.ok < 1) return 'journalled as a pass without a check that held'
  if (ended.exit !== undefined && !(ended.exit.kind === 'code' && ended.exit.code === 0)) {
    return 'journalled as a pass without the exit status 0'
  }
  return null
}

function counted(checks: readonly CheckSeen[]): CheckCounts {
  const counts = { ok: 0, notOk: 0, todo: 0, skip: 0 }
  const keys = { ok: 'ok', 'not-ok': 'notOk', todo: 'todo', skip: 'skip' } as const
  for (const { state } of checks) counts[keys[state]] += 1
  return counts
}
