import type { TestState } from '../../journal/state.js'
import { caseName } from './names.js'

/** Readers cut, refuse or hang on more. */
const mostCases = 1000
/** Of what was printed, in characters: what a suite element holds is built in memory. */
const mostPrinted = 1024 * 1024

/** The tests of a suite by the bytes of their names: reports of the same results are the same. */
export function inOrder(tests: readonly TestState[], suite: string): readonly TestState[] {
  const named = tests.map(test => ({ test, name: caseName(test.planned.id, suite) }))
  return named.sort((a, b) => bytewise(a.name, b.name)).map(({ test }) => test)
}

/** Tests in parts of a bounded size; one part, if only an empty one, at least. */
export function* partsOf(tests: readonly TestState[]): Generator<readonly TestState[]> {
  let part: TestState[] = []
  let printed = 0
  for (const test of tests) {
    const own = printedBy(test)
    if (part.length > 0 && (part.length >= mostCases || printed + own > mostPrinted)) {
      yield part
      part = []
      printed = 0
    }
    part.push(test)
    printed += own
  }
  yield part
}

function printedBy({ attempts }: TestState): number {
  let printed = 0
  for (const { checks, stderr } of attempts) {
    printed += stderr.length
    for (const { text, diagnostics = '' } of checks) printed += text.length + diagnostics.length
  }
  return printed
}

/** Compares texts by their bytes in UTF-8. */
export function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
