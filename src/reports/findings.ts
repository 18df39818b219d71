import type { Verdict } from '../journal/events.js'
import type { RunState, TestState } from '../journal/state.js'
import { requiredLeftOut } from '../plan/left-out.js'

/** Tests that share a verdict and its reason: one thing to look into, wherever it showed. */
export interface Finding {
  /** `flaky` is a pass after an attempt that was none. */
  readonly kind: Exclude<Verdict, 'pass'> | 'flaky'
  /** Why, in one line, as the journal has it. */
  readonly reason: string
  readonly tests: readonly TestState[]
}

/** What people look at first, in this order. */
export const findingOrder: readonly Finding['kind'][] = [
  'fail',
  'error',
  'flaky',
  'blocked',
  'not-run',
  'skip',
]

/** What one calls the tests of a kind. */
export const findingTitles: Readonly<Record<Finding['kind'], string>> = {
  fail: 'Failed',
  error: 'Errors',
  flaky: 'Flaky',
  blocked: 'Blocked',
  'not-run': 'Not run',
  skip: 'Skipped',
}

/** Everything that is not simply a pass, each reason once, the worst first. */
export function findingsOf({ environments }: RunState): readonly Finding[] {
  const groups = new Map<string, Finding & { readonly tests: TestState[] }>()
  for (const test of environments.flatMap(({ tests }) => tests)) {
    const kind = test.flaky ? 'flaky' : test.verdict
    if (kind === 'pass') continue
    const reason = kind === 'flaky' ? earlierTrouble(test) : test.reason
    const key = `${kind}\n${reason}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { kind, reason, tests: [test] })
    else group.tests.push(test)
  }
  const rank = ({ kind }: Finding): number => findingOrder.indexOf(kind)
  return [...groups.values()].sort((a, b) => rank(a) - rank(b))
}

/** The tests that took longest, the longest first. */
export function slowestOf({ environments }: RunState, most: number): readonly TestState[] {
  const duration = ({ decisive }: TestState): number => decisive?.durationMs ?? 0
  return environments
    .flatMap(({ tests }) => tests)
    .filter(test => duration(test) > 0)
    .sort((a, b) => duration(b) - duration(a))
    .slice(0, most)
}

/** Why a test that passed in the end had not passed before. */
function earlierTrouble({ attempts }: TestState): string {
  const failed = attempts.find(({ verdict }) => verdict === 'fail' || verdict === 'error')
  return failed === undefined ? '' : `attempt ${failed.attempt}: ${failed.verdict}: ${failed.reason}`
}

/** What each count of verdicts is called, in the order in which they are told. */
export function countWords({
  counts,
  flaky,
}: RunState): readonly (readonly [kind: Verdict | 'flaky', text: string])[] {
  const words: readonly (readonly [kind: Verdict | 'flaky', count: number, word: string])[] = [
    ['pass', counts.pass, 'passed'],
    ['fail', counts.fail, 'failed'],
    ['error', counts.error, counts.error === 1 ? 'error' : 'errors'],
    ['skip', counts.skip, 'skipped'],
    ['blocked', counts.blocked, 'blocked'],
    ['not-run', counts['not-run'], 'not run'],
    ['flaky', flaky, 'flaky'],
  ]
  return words.filter(([, count]) => count > 0).map(([kind, count, word]) => [kind, `${count} ${word}`])
}

/** How many required tests that apply the plan leaves out, and of how many environments; `null` for none. */
export function leftOutOf({
  environments,
}: RunState): { readonly required: number; readonly environments: number } | null {
  const left = environments.map(({ planned }) => requiredLeftOut(planned)).filter(count => count > 0)
  return left.length === 0
    ? null
    : { required: left.reduce((sum, count) => sum + count, 0), environments: left.length }
}

/** The same in words, for whoever reads that all is well; `null` when none is left out. */
export function leftOutWords(state: RunState): string | null {
  const left = leftOutOf(state)
  return left === null
    ? null
    : `The plan leaves out ${counted(left.required, 'required test')} that would apply, in ${counted(left.environments, 'environment')}; plan.json says why.`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
