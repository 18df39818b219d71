import type { Cause } from '../config/errors.js'
import type { Exit } from '../journal/events.js'
import { countChecks, toChecks } from './checks.js'
import type { Document } from './document.js'
import type { Ended, Folded } from './folded.js'
import { describeFault } from './structure.js'

/** Where protocols differ. */
interface Dialect {
  /** TAP's subtests need a plan of their own; KTAP's may go without. */
  readonly subtestsNeedPlan: boolean
  /** Exit statuses with which a script may say that it does not apply. */
  readonly skipCodes: readonly number[]
}

type Decision = Pick<Folded, 'verdict' | 'reason'> & { readonly cause?: Cause }

/**
 * Folds a document and its script's end into a verdict. The first row that fits decides; only what reaches the
 * last row is a pass.
 *
 * | observed | verdict | cause |
 * |---|---|---|
 * | a point that is not ok, neither TODO nor SKIP, at any depth | fail | guest |
 * | the script reached its limit | error | unknown |
 * | no exit status came | error | unknown |
 * | the script was ended by a signal | error | unknown |
 * | the output was cut at the size limit | error | unknown |
 * | `Bail out!` | error | unknown |
 * | nothing, or anything wrong: no plan, two plans, a count that differs, an order that differs, a cut last line, a pragma, a line of TAP out of place, a subtest without its point | error | test |
 * | `1..0 # SKIP reason` and nothing else, status 0 | skip | guest |
 * | `1..0` in any other company | error | test |
 * | nothing executed (SKIP points alone), status 0 | skip | guest |
 * | nothing executed otherwise (TODO points) | error | test |
 * | a status other than 0 after an otherwise sound document | fail | guest |
 * | something the script left running still holds the output | error | test |
 * | every point in order, as many as planned, one at least executed and ok, status 0 | pass | |
 *
 * `unknown` stands where the runner must look at guest, host and network to say more.
 */
export function foldDocument(document: Document, ended: Ended, dialect: Dialect): Folded {
  const checks = toChecks(document)
  const counts = countChecks(checks)
  const base = { checks, counts, measures: document.measures, facts: document.facts }
  const failed = checks.filter(check => check.state === 'not-ok')
  const [first] = failed
  if (first) {
    const name = [...first.path, first.text].filter(Boolean).join(' › ') || 'without a text'
    const others = failed.length > 1 ? ` (and ${failed.length - 1} more)` : ''
    return { ...base, verdict: 'fail', cause: 'guest', reason: `not ok: ${name}${others}` }
  }
  return { ...base, ...(brokenOff(ended, document) ?? decide(document, ended, dialect, counts.ok)) }
}

function brokenOff(ended: Ended, document: Document): Decision | null {
  const reason = describeUnendedExit(ended.exit)
  if (reason !== null) return { verdict: 'error', cause: 'unknown', reason }
  if (ended.truncated) {
    return { verdict: 'error', cause: 'unknown', reason: 'the output was cut at the size limit' }
  }
  if (document.bailout === null) return null
  return {
    verdict: 'error',
    cause: 'unknown',
    reason: `the test bailed out: ${document.bailout || 'it did not say why'}`,
  }
}

/** Why an exit is no observed end of the script; `null` when there is a status. */
export function describeUnendedExit(exit: Exit): string | null {
  switch (exit.kind) {
    case 'code':
      return null
    case 'signal':
      return `the script was ended by signal ${exit.signal}`
    case 'lost':
      return 'no exit status came'
    case 'limit':
      return `the script reached its limit (${exit.limit}: ${exit.limitMs} ms)`
  }
}

function decide(document: Document, ended: Ended, dialect: Dialect, executed: number): Decision {
  // describeUnendedExit has dealt with every other kind; -1 is no status that a script can have.
  const code = ended.exit.kind === 'code' ? ended.exit.code : -1
  const broken = (reason: string): Decision => ({
    verdict: 'error',
    cause: 'test',
    reason: code === 0 ? reason : `${reason}; the exit status was ${code}`,
  })
  const fault = describeFault(document, dialect)
  if (fault !== null) return broken(fault)
  if (document.plan?.end === 0) {
    if (document.plan.skip === null) return broken('the plan is 1..0 and no reason for skipping is given')
    if (document.strayLines) return broken('a skip, among other output')
    if (!dialect.skipCodes.includes(code)) return broken('a skip, but not a clean end')
    return skip(document.plan.skip)
  }
  if (executed === 0) {
    const idle = document.points.every(point => point.directive === 'skip')
    if (idle && dialect.skipCodes.includes(code)) return skip(document.points[0]?.reason ?? '')
    return broken('no check was executed')
  }
  if (code !== 0)
    return { verdict: 'fail', cause: 'guest', reason: `every check held, but the exit status was ${code}` }
  if (ended.undrained === true) {
    return broken('something that the script left running still holds its output, so its end was not seen')
  }
  return { verdict: 'pass', reason: '' }
}

function skip(reason: string): Decision {
  return { verdict: 'skip', cause: 'guest', reason: reason || 'the test gave no reason' }
}
