import { confirms, observedGuest, observedHypervisors } from '../../config/observed.js'
import type { Verdict } from '../../journal/events.js'
import { digestOf } from '../canonical.js'
import type { CustomerFacts } from '../ledger/status.js'
import { guestFacts, hostFacts } from '../statement/facts.js'
import {
  predicates,
  type RecordedTest,
  type RunPredicate,
  type RunStatement,
  statementType,
} from '../statement/types.js'
import type { ForeignCase, ForeignReport } from './read-junit.js'
import type { ImportedPairing, Mapping } from './schema.js'

/** Results of another tool, and what they are said to be about. */
export interface ImportRequest {
  readonly reports: readonly ForeignReport[]
  /** SHA-256 of each file. */
  readonly digests: readonly string[]
  readonly tool: string
  /** `null` for our own rich files, whose cases say which test they are. */
  readonly mapping: Mapping | null
  readonly pairing: ImportedPairing
  readonly facts: CustomerFacts
  /** UTC, when the tests ran. */
  readonly at: string
}

/** What was made of foreign results. */
export interface Imported {
  readonly statement: RunStatement
  /** Cases that stand for no test. */
  readonly unmapped: readonly string[]
  /** Tests of the mapping that no case stands for. */
  readonly missing: readonly string[]
}

/** Which of several verdicts a test with several cases has: the worst. */
const worstFirst: readonly Verdict[] = ['error', 'fail', 'not-run', 'blocked', 'skip', 'pass']

/** The statement of imported results. It is marked as imported, and certifies only where a policy names tool and signer. */
export function importedStatement(request: ImportRequest): Imported {
  const { reports, digests, tool, mapping, pairing, at } = request
  const cases = reports.flatMap(report => report.cases)
  const byTest = mapping === null ? ownTests(cases) : mappedTests(cases, mapping)
  const used = new Set([...byTest.values()].flat())
  const tests = [...byTest]
    .filter(([, found]) => found.length > 0)
    .map(([id, found]) => recordedTest(id, found))
  const [guest, host] = [guestFacts(request.facts.guest), hostFacts(request.facts.host)]
  const seen = observedGuest(guest)
  const predicate: RunPredicate = {
    run: `imported-${digestOf(digests).slice(0, 12)}`,
    registration: null,
    planDigest: digestOf([...byTest.keys()].sort()),
    planExpected: tests.length,
    harness: { name: tool, digest: null },
    openedAt: at,
    closedAt: at,
    interrupted: false,
    sessions: 1,
    problems: 0,
    emulated: false,
    importedFrom: tool,
    pairing,
    observed: {
      guest: seen !== null && confirms(pairing.guest, seen),
      hypervisor: observedHypervisors({ ...guest, ...host }).some(one => confirms(pairing.hypervisor, one)),
      configuration: [],
      contradictions: [],
      varying: [],
      guestFacts: guest,
      hostFacts: host,
    },
    tests,
    leftOut: [],
    evidence: [],
    junit: digests.length === 1 ? (digests[0] ?? null) : null,
  }
  const subject = [
    { name: 'pairing', digest: { sha256: digestOf(pairing) } },
    ...digests.map((sha256, index) => ({ name: `junit-${index + 1}`, digest: { sha256 } })),
  ]
  return {
    statement: { _type: statementType, subject, predicateType: predicates.run, predicate },
    unmapped: cases.filter(one => !used.has(one)).map(nameOf),
    missing: [...byTest].filter(([, found]) => found.length === 0).map(([id]) => id),
  }
}

function ownTests(cases: readonly ForeignCase[]): ReadonlyMap<string, readonly ForeignCase[]> {
  const found = new Map<string, ForeignCase[]>()
  for (const one of cases) {
    const id = one.properties.test
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), one])
  }
  return found
}

function mappedTests(
  cases: readonly ForeignCase[],
  { tests }: Mapping,
): ReadonlyMap<string, readonly ForeignCase[]> {
  return new Map(
    Object.entries(tests).map(([id, wanted]) => {
      const names = [wanted].flat()
      const found = names.map(name => cases.filter(one => one.name === name || nameOf(one) === name))
      // A test of several cases has all of them, or none.
      return [id, found.some(({ length }) => length === 0) ? [] : found.flat()]
    }),
  )
}

function recordedTest(id: string, cases: readonly ForeignCase[]): RecordedTest {
  const verdict = worstFirst.find(word => cases.some(one => one.verdict === word)) ?? 'error'
  const durationMs = cases.reduce((sum, one) => sum + one.durationMs, 0)
  const cause = verdict === 'pass' ? null : 'unknown'
  const flaky = verdict === 'pass' && cases.some(one => one.flaky)
  return {
    id,
    suite: id.split('/')[0] ?? id,
    suiteVersion: '',
    suiteDigest: '',
    requirements: [],
    level: 'required',
    provenOn: null,
    verdict,
    cause,
    flaky,
    attempts: [{ verdict, cause, durationMs, checks: { ok: 0, notOk: 0, todo: 0, skip: 0 } }],
    measures: {},
    evidence: [],
  }
}

function nameOf({ classname, name }: ForeignCase): string {
  return `${classname}::${name}`
}
