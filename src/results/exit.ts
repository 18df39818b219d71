import { fold } from './fold.js'
import type { Check, Ended, Folded } from './folded.js'
import type { Report } from './observed.js'
import { largestOwnStatus } from './reasons.js'

/** What a manifest says of exit codes beside 0: `codes` in `suite.yaml`. */
export interface ExitCodes {
  readonly skip: readonly number[]
  readonly error: readonly number[]
}

/** No code is declared: every status but 0 is a failed check. */
export const noExitCodes: ExitCodes = { skip: [], error: [] }

const text = 'the script exits with status 0'
/** With these a shell says that it could not run a script (POSIX, Shell Command Language, 2.8.2). */
const notExecutable = 126
const notFound = 127

/**
 * Folds a script that says what it found by its exit status alone: 0 is one check that held, a declared code is what
 * it was declared as, any other status is a check that failed, unless it may come from a shell or a signal. Its
 * output is evidence only, but a cut or held one is not a pass.
 */
export function foldExit(ended: Ended, codes: ExitCodes): Folded {
  const { exit, contradiction, truncated, undrained } = ended
  // A status of 0 holds only with an end that was seen whole; any other was seen to fail, whatever is missing.
  const isUnsure =
    contradiction !== undefined ||
    (exit.kind === 'code' && exit.code === 0 && (truncated || undrained === true))
  const { report, checks } = exit.kind === 'code' && !isUnsure ? read(exit.code, codes) : nothing
  return fold(ended, { by: 'exit', report, checks, measures: {}, facts: {} })
}

interface Read {
  readonly report: Report
  readonly checks: readonly Check[]
}

const nothing: Read = { report: { kind: 'sound' }, checks: [] }

function read(code: number, { skip, error }: ExitCodes): Read {
  if (skip.includes(code)) {
    const reason = `the exit status was ${code}, which the manifest declares as a skip`
    return { report: { kind: 'skip', reason, statuses: skip }, checks: [] }
  }
  if (error.includes(code)) {
    const reason = `the exit status was ${code}, which the manifest declares as an error`
    return { report: { kind: 'gave-up', reason }, checks: [] }
  }
  if (code === notExecutable || code === notFound) {
    const what = code === notExecutable ? 'could not be executed' : 'was not found'
    return {
      report: { kind: 'fault', what: `the script, or its last command, ${what} (status ${code})` },
      checks: [],
    }
  }
  if (code === 0) {
    return { report: { kind: 'sound' }, checks: [{ state: 'ok', text, path: [] }] }
  }
  if (code > largestOwnStatus) {
    return nothing
  }
  const check: Check = { state: 'not-ok', text, path: [], diagnostics: `the exit status was ${code}` }
  return { report: { kind: 'sound' }, checks: [check] }
}
