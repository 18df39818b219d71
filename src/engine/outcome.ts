import type { Cause, InfraError } from '../config/errors.js'
import type { CheckState, Evidence, Exit, Measure, Verdict } from '../journal/events.js'

/** One assertion that was seen. */
export interface SeenCheck {
  readonly state: CheckState
  readonly text: string
  readonly diagnostics?: string
}

/** What one attempt of one test came to. */
export interface Outcome {
  readonly verdict: Verdict
  readonly cause?: Cause
  readonly reason: string
  readonly checks: readonly SeenCheck[]
  readonly measures: Readonly<Record<string, Measure>>
  readonly evidence: readonly Evidence[]
  readonly exit?: Exit
  /** The instance can serve no further test. */
  readonly spoilt: boolean
  /** Trouble that a new instance may mend. */
  readonly trouble?: InfraError
}

/** Counts checks by how they ended. */
export function countChecks(checks: readonly SeenCheck[]): {
  ok: number
  notOk: number
  todo: number
  skip: number
} {
  const count = (state: CheckState): number => checks.filter(check => check.state === state).length
  return { ok: count('ok'), notOk: count('not-ok'), todo: count('todo'), skip: count('skip') }
}
