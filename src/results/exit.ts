import { countChecks } from './checks.js'
import { describeUnendedExit } from './fold.js'
import type { Check, Ended, Folded } from './folded.js'

const text = 'the script exits with status 0'

/**
 * Folds a script that says what it found by its exit status alone: 0 is one check that held, any other status
 * one that failed, except 126 and 127, with which a shell says that it could not run the script (POSIX, Shell
 * Command Language 2.8.2). It cannot be skipped. Its output is evidence only, but a cut one is no pass.
 */
export function foldExit(ended: Ended): Folded {
  const reason = describeUnendedExit(ended.exit)
  if (reason !== null || ended.exit.kind !== 'code') {
    return folded([], { verdict: 'error', cause: 'unknown', reason: reason ?? 'no exit status came' })
  }
  const { code } = ended.exit
  if (code === 126 || code === 127) {
    const what = code === 126 ? 'could not be executed' : 'was not found'
    return folded([], {
      verdict: 'error',
      cause: 'test',
      reason: `the script, or its last command, ${what} (status ${code})`,
    })
  }
  if (code !== 0) {
    const check: Check = { state: 'not-ok', text, path: [], diagnostics: `the exit status was ${code}` }
    return folded([check], { verdict: 'fail', cause: 'guest', reason: `the exit status was ${code}` })
  }
  if (ended.truncated) {
    return folded([], { verdict: 'error', cause: 'unknown', reason: 'the output was cut at the size limit' })
  }
  return folded([{ state: 'ok', text, path: [] }], { verdict: 'pass', reason: '' })
}

function folded(
  checks: readonly Check[],
  decision: Pick<Folded, 'verdict' | 'reason'> & Partial<Pick<Folded, 'cause'>>,
): Folded {
  return { ...decision, checks, counts: countChecks(checks), measures: {}, facts: {} }
}
