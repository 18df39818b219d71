import { describeCheck } from './check-message.js'
import { countChecks, toChecks } from './checks.js'
import type { Document } from './document.js'
import type { Check, Ended, Folded } from './folded.js'
import { judge } from './judge.js'
import type { Report, ScriptProtocol } from './observed.js'
import { describeFault } from './structure.js'

/** Where TAP and KTAP differ. */
interface Dialect {
  readonly by: ScriptProtocol
  /** TAP's subtests need a plan of their own; KTAP's may go without. */
  readonly subtestsNeedPlan: boolean
  /** Exit statuses with which a script may say that it does not apply. */
  readonly skipCodes: readonly number[]
}

/** Turns a document and its script's end into facts, and judges them. */
export function foldDocument(document: Document, ended: Ended, dialect: Dialect): Folded {
  const checks = toChecks(document)
  const report = reportOf(document, dialect, countChecks(checks).ok)
  return fold(ended, { by: dialect.by, report, checks, measures: document.measures, facts: document.facts })
}

/** What a protocol has read from a script. */
interface Read extends Pick<Folded, 'checks' | 'measures' | 'facts'> {
  readonly by: ScriptProtocol
  readonly report: Report
}

/** Judges what a protocol has read, together with how the script ended. */
export function fold(ended: Ended, { by, report, checks, measures, facts }: Read): Folded {
  const counts = countChecks(checks)
  const { exit, truncated, undrained = false, beginning = { kind: 'seen' } } = ended
  const { contradiction, loss, unkept } = ended
  const judgement = judge({
    by,
    beginning,
    ending: exit,
    output: truncated ? 'cut' : undrained ? 'held' : 'whole',
    report,
    held: counts.ok,
    failed: checks.filter(({ state }) => state === 'not-ok').map(check => describe(check, by)),
    ...(contradiction === undefined ? {} : { contradiction }),
    ...(loss === undefined ? {} : { loss }),
    ...(unkept === undefined ? {} : { unkept }),
  })
  return { ...judgement, checks, counts, measures, facts }
}

function describe({ path, text, diagnostics = '' }: Check, by: ScriptProtocol): string {
  const name = [...path, text].filter(Boolean).join(' › ')
  return by === 'exit' ? diagnostics : describeCheck(name, diagnostics)
}

function reportOf(document: Document, dialect: Dialect, executed: number): Report {
  const { bailout, plan, points, strayLines } = document
  if (bailout !== null) {
    return { kind: 'gave-up', reason: `the test bailed out: ${bailout || 'it did not say why'}` }
  }
  const fault = describeFault(document, dialect)
  if (fault !== null) {
    return { kind: 'fault', what: fault }
  }
  const statuses = dialect.skipCodes
  if (plan?.end === 0) {
    if (plan.skip === null) {
      return { kind: 'fault', what: 'the plan is 1..0 and no reason for skipping is given' }
    }
    return strayLines
      ? { kind: 'fault', what: 'a skip, among other output' }
      : { kind: 'skip', reason: plan.skip, statuses }
  }
  const isIdle = executed === 0 && points.every(point => point.directive === 'skip')
  return isIdle ? { kind: 'skip', reason: points[0]?.reason ?? '', statuses } : { kind: 'sound' }
}
