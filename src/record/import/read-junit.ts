import { SaxesParser } from 'saxes'
import { UsageError } from '../../config/errors.js'
import type { Verdict } from '../../journal/events.js'

/** A test case as a JUnit file tells it, in whatever dialect. */
export interface ForeignCase {
  readonly suite: string
  readonly classname: string
  readonly name: string
  readonly verdict: Verdict
  readonly durationMs: number
  /** True for a pass after attempts that were none. */
  readonly flaky: boolean
  /** Properties of the case: our own rich files say there which test it is, and its verdict. */
  readonly properties: Readonly<Record<string, string>>
}

/** A JUnit file: its cases, and when it says that it was made. */
export interface ForeignReport {
  readonly cases: readonly ForeignCase[]
  /** UTC of the earliest suite that says one; `null` where none does. */
  readonly at: string | null
}

interface OpenSuite {
  readonly name: string
  readonly claims: Readonly<Record<string, number | undefined>>
  readonly first: number
  /** What stands in it; a file holds suites. */
  holds: 'suites' | 'cases' | 'both'
}

interface OpenCase {
  readonly attributes: Readonly<Record<string, string>>
  readonly outcomes: Set<string>
  /** How many elements say that it failed. */
  failures: number
  readonly properties: Record<string, string>
}

const deepest = 64
/** What a case that passed may say of itself; "run" and "completed" are GoogleTest's. */
const passed = /^(passed|pass|run|success|completed)$/i
/** What may stand in a case: JUnit's elements, and those of Surefire for cases that were tried again. */
const known: ReadonlySet<string> = new Set([
  'error',
  'failure',
  'skipped',
  'properties',
  'system-out',
  'system-err',
  'flakyError',
  'flakyFailure',
  'rerunError',
  'rerunFailure',
  'stackTrace',
])
/** What a verdict of ours is in JUnit, where only three kinds of no pass are known. */
const elementOf: Readonly<Record<Verdict, string | null>> = {
  pass: null,
  fail: 'failure',
  error: 'error',
  blocked: 'error',
  'not-run': 'error',
  skip: 'skipped',
}

/**
 * Reads a JUnit file strictly: no document type, no element that is not closed, and no suite that claims other results
 * than its cases have. @throws UsageError
 */
export function readJunit(text: string, file: string): ForeignReport {
  const refuse = (why: string): never => {
    throw new UsageError(`${file}: ${why}`)
  }
  const cases: ForeignCase[] = []
  const failures: number[] = []
  const suites: OpenSuite[] = []
  const times: string[] = []
  let depth = 0
  let open: OpenCase | null = null
  const parser = new SaxesParser()
  parser.on('error', error => refuse(`it is not well-formed: ${error.message.slice(0, 200)}`))
  parser.on('doctype', () => refuse('a document type is refused'))
  parser.on('opentag', ({ name, attributes }) => {
    depth += 1
    if (depth > deepest) refuse(`its elements are nested deeper than ${deepest}`)
    if (depth === 1 && name !== 'testsuites' && name !== 'testsuite')
      refuse(`it is not a JUnit file: <${name}>`)
    if (name === 'testsuites') {
      suites.push({ name: '', claims: claimsOf(attributes, refuse), first: cases.length, holds: 'suites' })
    } else if (name === 'testsuite') {
      for (const suite of suites) if (suite.holds === 'cases') suite.holds = 'both'
      suites.push({
        name: attributes.name ?? '',
        claims: claimsOf(attributes, refuse),
        first: cases.length,
        holds: 'cases',
      })
      if (attributes.timestamp !== undefined) times.push(attributes.timestamp)
    } else if (name === 'testcase') {
      if (open !== null) refuse('a case stands in another one')
      open = { attributes, outcomes: new Set(), failures: 0, properties: {} }
    } else if (open !== null && name === 'property') {
      open.properties[attributes.name ?? ''] = attributes.value ?? ''
    } else if (open !== null) {
      if (!known.has(name))
        refuse(`a case has an element <${name}>, of which nobody knows whether it is a failure`)
      open.outcomes.add(name)
      if (isFailure(name)) open.failures += 1
    } else if (isFailure(name)) {
      refuse(`a <${name}> stands outside of every case`)
    }
  })
  parser.on('closetag', ({ name }) => {
    depth -= 1
    if (name === 'testcase' && open !== null) {
      const read = caseOf(open, suites.at(-1)?.name ?? '', refuse)
      cases.push(read)
      failures.push(read.verdict === 'pass' || read.verdict === 'skip' ? 0 : Math.max(1, open.failures))
      open = null
    } else if (name === 'testsuite' || name === 'testsuites') {
      const suite = suites.pop()
      const why = suite === undefined ? null : falseClaim(suite, failures.slice(suite.first))
      if (why !== null) refuse(why)
    }
  })
  // Windows programs begin their files with a byte order mark.
  parser.write(text.replace(/^\ufeff/, '')).close()
  if (cases.length === 0) refuse('it has no test case')
  const moments = times.map(utcOf).filter((time): time is string => time !== null)
  return { cases, at: moments.sort()[0] ?? null }
}

function caseOf(
  { attributes, outcomes, properties }: OpenCase,
  suite: string,
  refuse: (why: string) => never,
): ForeignCase {
  const { name = '', classname = '', time = '', status, result } = attributes
  const seen = outcomes.has('error')
    ? 'error'
    : outcomes.has('failure') || outcomes.has('rerunFailure') || outcomes.has('rerunError')
      ? 'fail'
      : outcomes.has('skipped')
        ? 'skip'
        : 'pass'
  // Pester says "Inconclusive" or "NotRun" beside an element, or without any: nobody knows whether such a test applies.
  const words = [status, result].filter(word => word !== undefined)
  const isOdd =
    (seen === 'pass' && words.some(word => !passed.test(word))) ||
    (seen === 'skip' && words.some(word => /^inconclusive$/i.test(word)))
  const own = properties.verdict
  const verdict = isOdd ? 'error' : own === undefined ? seen : ownVerdict(own, seen, name, refuse)
  const isFlaky = outcomes.has('flakyFailure') || outcomes.has('flakyError')
  const seconds = Number(time)
  return {
    suite,
    classname,
    name,
    verdict,
    durationMs: Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1000) : 0,
    flaky: verdict === 'pass' && isFlaky,
    properties,
  }
}

/** The verdict of one of our own files: it must be what the elements say, which know fewer. */
function ownVerdict(own: string, seen: Verdict, name: string, refuse: (why: string) => never): Verdict {
  const wanted = Object.hasOwn(elementOf, own) ? elementOf[own as Verdict] : undefined
  if (wanted === undefined || wanted !== elementOf[seen]) {
    return refuse(`"${name}" says that its verdict is ${own}, and its elements say ${seen}`)
  }
  return own as Verdict
}

function isFailure(element: string): boolean {
  return element === 'failure' || element === 'error'
}

function claimsOf(
  attributes: Readonly<Record<string, string>>,
  refuse: (why: string) => never,
): OpenSuite['claims'] {
  const number = (key: string): number | undefined => {
    const text = attributes[key] ?? ''
    if (text === '') return undefined
    return /^\d+$/.test(text)
      ? Number(text)
      : refuse(`a suite counts "${text}" ${key}, which is not a number`)
  }
  return {
    tests: number('tests'),
    failures: number('failures'),
    errors: number('errors'),
    skipped: number('skipped'),
  }
}

/** How a suite's counts contradict its cases: something was left out, or fell outside of every case. */
function falseClaim({ name, claims, holds }: OpenSuite, cases: readonly number[]): string | null {
  const what = holds === 'suites' ? 'the file' : `the suite "${name}"`
  const { tests, failures = 0, errors = 0 } = claims
  const found = cases.reduce((sum, count) => sum + count, 0)
  if (failures + errors > 0 && found === 0) {
    return `${what} counts ${failures + errors} failures, and none of its cases has one`
  }
  // Of nested suites some programs count cases and others children.
  if (failures + errors > found && holds !== 'both') {
    return `${what} counts ${failures + errors} failures, and its cases have ${found}`
  }
  if (tests !== undefined && tests > 0 && cases.length === 0)
    return `${what} counts ${tests} tests, and has no case`
  if (holds !== 'cases' || tests === undefined || tests === cases.length) return null
  return `${what} counts ${tests} tests, and has ${cases.length} cases`
}

/** A time stamp as UTC; one without a zone is taken as UTC. */
function utcOf(text: string): string | null {
  const withZone = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`
  const ms = Date.parse(withZone)
  return Number.isNaN(ms) ? null : new Date(ms).toISOString()
}
