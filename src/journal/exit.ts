import type { RunState, TestState } from './state.js'

/** What the program's end says. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130

/** One exit code, for people: `name` is a word, `meaning` a sentence. */
export interface ExitMeaning {
  readonly code: ExitCode
  readonly name: string
  readonly meaning: string
}

/** Every exit code of the program, in ascending order. */
export const exitMeanings: readonly ExitMeaning[] = [
  { code: 0, name: 'passed', meaning: 'Every required test passed.' },
  { code: 1, name: 'failed', meaning: 'A required test failed.' },
  {
    code: 2,
    name: 'refused',
    meaning: 'The command line or the lab was invalid, or nothing was selected. Nothing ran.',
  },
  {
    code: 3,
    name: 'incomplete',
    meaning: 'No required test failed, but not all of them were carried out.',
  },
  { code: 4, name: 'broken', meaning: 'A bug in guestcert, or a report that could not be written.' },
  { code: 130, name: 'interrupted', meaning: 'The run was interrupted.' },
]

/** What outranks what, the strongest first. */
export const exitPrecedence: readonly ExitCode[] = [4, 130, 2, 1, 3, 0]

/** The strongest of several exit codes. An unknown code is a bug, and none at all is not a success: both 4. */
export function strongestExit(codes: readonly number[]): ExitCode {
  if (codes.some(code => !exitPrecedence.some(known => known === code))) return 4
  return exitPrecedence.find(code => codes.includes(code)) ?? 4
}

/** The sentence that says what an exit code means. */
export function meaningOf(code: number): string {
  return exitMeanings.find(known => known.code === code)?.meaning ?? `Unknown exit code ${code}.`
}

/** What is known of a run's end beside its results. */
export interface RunEnd {
  readonly interrupted?: boolean
  /** A bug, or a report that could not be written. */
  readonly broken?: boolean
}

/** The exit code of a run. Optional tests do not matter; a required test that did not pass always does. */
export function exitCodeOf(state: RunState, end: RunEnd = {}): ExitCode {
  const codes: ExitCode[] = [0]
  if (end.broken === true || state.problems.length > 0) codes.push(4)
  if (end.interrupted === true || state.closed?.interrupted === true) codes.push(130)
  const tests = state.environments.flatMap(environment => environment.tests)
  if (tests.length === 0) codes.push(2)
  for (const test of tests) codes.push(exitCodeOfTest(test))
  return strongestExit(codes)
}

function exitCodeOfTest({ planned, verdict }: TestState): ExitCode {
  if (planned.level !== 'required' || verdict === 'pass') return 0
  return verdict === 'fail' ? 1 : 3
}
