import { InfraError } from '../config/errors.js'
import type { CheckState, Evidence, Exit, Measure } from '../journal/events.js'
import { type Judgement, judge } from '../results/judge.js'
import type { Ending, FoundTrouble, Observed } from '../results/observed.js'

/** One assertion that was seen. */
export interface SeenCheck {
  readonly state: CheckState
  readonly text: string
  readonly diagnostics?: string
}

/** What one attempt of one test came to. Its verdict is the table's: see {@link judge}. */
export interface Outcome extends Judgement {
  readonly checks: readonly SeenCheck[]
  readonly measures: Readonly<Record<string, Measure>>
  readonly evidence: readonly Evidence[]
  readonly exit?: Exit
  /** The end of what it wrote to standard error; where it failed or was not carried out. */
  readonly stderr?: string
  /** The instance can serve no further test. */
  readonly spoilt: boolean
  /** Trouble that a new instance may mend. */
  readonly trouble?: InfraError
}

/** Judges a test of which nothing was begun: what was found instead decides. */
export function judgeUnbegun({
  loss,
  ending = { kind: 'lost' },
}: Pick<Observed, 'loss'> & { readonly ending?: Ending }): Judgement {
  return judge({
    by: 'module',
    beginning: { kind: 'missing', printed: '' },
    ending,
    output: 'whole',
    report: { kind: 'sound' },
    held: 0,
    failed: [],
    ...(loss === undefined ? {} : { loss }),
  })
}

/** An error as a fact: that of an InfraError is its own, anything else is a fault of the runner. */
export function troubleOf(error: unknown): FoundTrouble {
  return error instanceof InfraError
    ? { cause: error.context.cause, message: error.message }
    : { cause: 'runner', message: error instanceof Error ? error.message : String(error) }
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
