import { digestOf } from '../canonical.js'
import { type InTotoStatement, predicates, type RunStatement, statementType } from './types.js'

/** The predicate `test-result` v0.1 of the in-toto attestation framework. */
interface TestResult {
  readonly result: 'PASSED' | 'WARNED' | 'FAILED'
  readonly configuration: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[]
  readonly passedTests: readonly string[]
  readonly warnedTests: readonly string[]
  readonly failedTests: readonly string[]
}

/**
 * A run statement for readers of `test-result`. What did not pass is failed there: an error, a blocked test and one that
 * did not run are no passes. A pass after another attempt is a warning; a test that does not apply is in no list.
 */
export function testResultOf({ subject, predicate }: RunStatement): InTotoStatement<TestResult> {
  const named = (fits: (test: RunStatement['predicate']['tests'][number]) => boolean): string[] =>
    predicate.tests.filter(fits).map(({ id }) => id)
  const passedTests = named(({ verdict, flaky }) => verdict === 'pass' && !flaky)
  const warnedTests = named(({ verdict, flaky }) => verdict === 'pass' && flaky)
  const failedTests = named(({ verdict }) => verdict !== 'pass' && verdict !== 'skip')
  const isWhole = predicate.closedAt !== null && predicate.problems === 0
  const passed = passedTests.length + warnedTests.length > 0 && failedTests.length === 0 && isWhole
  return {
    _type: statementType,
    subject,
    predicateType: predicates.testResult,
    predicate: {
      result: !passed ? 'FAILED' : warnedTests.length > 0 ? 'WARNED' : 'PASSED',
      configuration: [
        { name: 'pairing', digest: { sha256: digestOf(predicate.pairing) } },
        { name: 'plan', digest: { sha256: predicate.planDigest } },
      ],
      passedTests,
      warnedTests,
      failedTests,
    },
  }
}
