import { applyWaivers } from '../../waivers/apply.js'
import type { RecordedTest } from '../statement/types.js'
import type { Case, Decision, DecisionInput, Kit, Reason } from './types.js'

/** What the tests of a run came to under a policy. */
export interface TestFindings {
  readonly reasons: readonly Reason[]
  readonly notes: readonly Reason[]
  readonly waived: Decision['waived']
}

const dayMs = 86_400_000

/** What stands against the tests of a run: each required one was observed to pass, or its failure is waived. */
export function testReasons(one: Case, input: DecisionInput): TestFindings {
  const { run } = one
  const { pairing, policy, nowMs } = input
  const { guest, hypervisor } = run.pairing
  const results = run.tests.map(test => ({ test: test.id, verdict: test.verdict, guest, hypervisor }))
  const applied = applyWaivers(results, input.waivers, nowMs)
  const waiverOf = new Map([...applied.waived].map(([index, waiver]) => [run.tests[index]?.id, waiver]))
  const notes: Reason[] = applied.reports.map(({ kind, text }) => ({ code: `waiver-${kind}`, text }))
  const waived: { test: string; waiver: string; expires: string }[] = []
  const reasons: Reason[] = []
  const refuse = (code: string, test: string, text: string): void => {
    reasons.push({ code, test, text: `${test}: ${text}` })
  }
  for (const id of pairing.required) {
    if (pairing.flagged?.includes(id) === true) {
      notes.push({ code: 'flagged', test: id, text: `${id}: excused, as the policy knows it to be broken` })
      continue
    }
    const found = run.tests.filter(test => test.id === id)
    const [test] = found
    if (test === undefined) {
      const left = run.leftOut.find(out => out.test === id)
      const isAccepted = left?.kind === 'not-applicable' && pairing.inapplicable?.includes(id) === true
      if (!isAccepted)
        refuse('missing', id, left === undefined ? 'it was not planned' : `it was left out (${left.kind})`)
      continue
    }
    if (found.length > 1) refuse('twice', id, 'the run has two results of it')
    for (const reason of kitReasons(test, input, run.importedFrom)) refuse(reason.code, id, reason.text)
    if (test.verdict === 'pass') continue
    const waiver = waiverOf.get(id)
    if (test.verdict === 'skip' && pairing.inapplicable?.includes(id) === true) {
      notes.push({
        code: 'inapplicable',
        test: id,
        text: `${id}: it does not apply there, which the policy accepts`,
      })
    } else if (waiver === undefined) {
      refuse('not-passed', id, `${test.verdict}${test.cause === null ? '' : `, cause ${test.cause}`}`)
    } else if (policy.waivers.never.includes(id)) {
      refuse('not-waivable', id, 'its failure may not be waived')
    } else if (Date.parse(waiver.expires) - nowMs > policy.waivers.mostDays * dayMs) {
      refuse(
        'waiver-too-long',
        id,
        `the waiver ${waiver.id} is for more than ${policy.waivers.mostDays} days`,
      )
    } else {
      waived.push({ test: id, waiver: waiver.id, expires: waiver.expires })
    }
  }
  for (const { id, text } of pairing.manual ?? []) {
    if (!one.manual.has(id)) refuse('manual', id, `no engineer has answered: ${text}`)
  }
  return { reasons, notes, waived }
}

/** Whether a test is of a suite of the kit: a lab's own suite may have the policy's ids, and `exit 0` behind them. */
export function isOfKit({ suite, suiteDigest }: RecordedTest, { suites }: Kit): boolean {
  return Object.hasOwn(suites, suite) && suites[suite]?.includes(suiteDigest) === true
}

function kitReasons(test: RecordedTest, { kit }: DecisionInput, importedFrom: string | null): Reason[] {
  if (importedFrom !== null || isOfKit(test, kit)) return []
  return [{ code: 'suite', text: `the suite ${test.suite} is not the policy’s` }]
}
