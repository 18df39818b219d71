import type { Builder, TestCase, TestSuite } from 'junit-report-builder'
import junit from 'junit-report-builder'
import { UsageError } from '../../config/errors.js'
import { countVerdicts } from '../../journal/fold-environment.js'
import type { AttemptState, Counts, EnvironmentState, RunState, TestState } from '../../journal/state.js'
import { ownSuite } from '../../plan/boot.js'
import type { Waiver } from '../../waivers/schema.js'
import { cleanXml, cleanXmlLine } from '../clean.js'
import { AttachmentNames } from './attachments.js'
import {
  documentEnd,
  documentHead,
  type JunitCounts,
  junitCounts,
  type Profile,
  suitesIn,
  sumJunitCounts,
} from './document.js'
import { caseName, className, outcomeType, seconds, stableId, suiteName } from './names.js'
import { bytewise, inOrder, partsOf } from './parts.js'
import { caseProperties, suiteProperties } from './properties.js'
import { detailsOf, errorOutputOf, instanceText, messageOf, outputOf } from './text.js'
import { environmentTrouble, runTrouble, type Trouble, troubleSuite } from './trouble.js'

/** How a JUnit document is made. */
export interface JunitOptions {
  readonly profile: Profile
  /** The run's folder as seen from the workspace, with `/`: then evidence is named as attachments. */
  readonly attachments?: string
  /** Failures that are forgiven: the rich profile shows them as skipped, and says so; the strict one as they are. */
  readonly waived?: ReadonlyMap<TestState, Waiver>
}

// The package is CommonJS whose whole export is the builder, while its types speak of a default export.
const shared = junit as unknown as Builder

type Element = ReturnType<TestCase['build']>

/** Suites as the text of their elements, and what they come to. */
export interface JunitSuites {
  readonly text: string
  readonly counts: JunitCounts
}

/** The JUnit document of one environment: exactly its planned tests, whatever became of them, and its trouble. */
export function junitFor(state: RunState, environmentId: string, options: JunitOptions): string {
  const environment = state.environments.find(({ planned }) => planned.id === environmentId)
  if (environment === undefined) throw new UsageError(`the plan has no environment ${environmentId}`)
  const suites = [...environmentSuites(state, environment, options)]
  const counts = sumJunitCounts(suites.map(one => one.counts))
  const { durationMs, startedAt } = environment
  const { profile } = options
  const head = documentHead({ profile, run: state.run, counts, durationMs, startedAt })
  return `${head}${suites.map(({ text }) => text).join('')}${documentEnd}`
}

/** The suites of trouble that belongs to no environment; without any where there is none. */
export function runSuites(state: RunState, { profile }: Pick<JunitOptions, 'profile'>): JunitSuites {
  const troubles = runTrouble(state)
  const builder = shared.newBuilder()
  if (troubles.length > 0) addTrouble(builder.testSuite(), 'run', profile, troubles)
  const text = troubles.length === 0 ? '' : suitesIn(builder.build())
  return { text, counts: junitCounts(noVerdicts, troubles.length) }
}

/**
 * The suites of one environment: one for each suite of tests, and further ones of its name where it is large, so that
 * no more than a part of it is ever held as XML.
 */
export function* environmentSuites(
  state: RunState,
  environment: EnvironmentState,
  options: JunitOptions,
): Generator<JunitSuites> {
  const suites = new Map<string, TestState[]>()
  for (const test of environment.tests) {
    const tests = suites.get(test.planned.suite)
    if (tests === undefined) suites.set(test.planned.suite, [test])
    else tests.push(test)
  }
  // A suite without cases keeps the document well formed for an environment without tests.
  if (suites.size === 0) suites.set('none', [])
  for (const [suite, all] of [...suites].sort(([a], [b]) => ownFirst(a, b) || bytewise(a, b))) {
    const context = { state, environment, options, attachments: new AttachmentNames(options.attachments) }
    let part = 0
    for (const tests of partsOf(inOrder(all, suite))) {
      part += 1
      const builder = shared.newBuilder()
      addSuite(builder.testSuite(), context, { suite, part, tests })
      yield { text: suitesIn(builder.build()), counts: junitCounts(shownCounts(tests, options)) }
    }
  }
  const troubles = environmentTrouble(environment)
  if (troubles.length > 0) {
    const builder = shared.newBuilder()
    addTrouble(builder.testSuite(), environment.planned.id, options.profile, troubles)
    yield { text: suitesIn(builder.build()), counts: junitCounts(noVerdicts, troubles.length) }
  }
}

/** The waiver that forgives a failure where the profile shows it. */
function waiverOf(test: TestState, { profile, waived }: JunitOptions): Waiver | undefined {
  return profile === 'rich' && test.verdict === 'fail' ? waived?.get(test) : undefined
}

/** How many tests are shown with each verdict. */
function shownCounts(tests: readonly TestState[], options: JunitOptions): Counts {
  const counts = countVerdicts(tests)
  const waived = tests.filter(test => waiverOf(test, options) !== undefined).length
  return { ...counts, fail: counts.fail - waived, skip: counts.skip + waived }
}

const noVerdicts = { pass: 0, fail: 0, error: 0, skip: 0, blocked: 0, 'not-run': 0 }

function addTrouble(node: TestSuite, where: string, profile: Profile, troubles: readonly Trouble[]): void {
  node.name(cleanXmlLine(`${where}/${troubleSuite}`, 200))
  setTime(node, 0)
  for (const { name, type, message } of troubles) {
    const one = node.testCase().name(cleanXmlLine(name, 200)).className(className(where, troubleSuite))
    setTime(one, 0)
    one.error(messageOf({ verdict: 'error', reason: message }), type)
    finish(one, element => {
      if (profile === 'rich') element.att('id', stableId(where, troubleSuite, name))
      put(element.children.at(-1) as Element, cleanXml(message))
    })
  }
  finish(node, element => element.att('id', stableId(where, troubleSuite)))
}

interface Context {
  readonly state: RunState
  readonly environment: EnvironmentState
  readonly options: JunitOptions
  readonly attachments: AttachmentNames
}

/** One suite element: a suite of tests, or a part of it. */
interface SuitePart {
  readonly suite: string
  /** From 1. */
  readonly part: number
  readonly tests: readonly TestState[]
}

function addSuite(node: TestSuite, context: Context, { suite, part, tests }: SuitePart): void {
  const { environment, state } = context
  const total = tests.reduce((sum, test) => sum + durationMsOf(test), 0)
  node.name(suiteName(environment.planned, suite, part))
  setTime(node, total)
  const startedAt = tests
    .flatMap(({ attempts }) => attempts.flatMap(({ startedAt: at }) => at ?? []))
    .sort()[0]
  if (startedAt !== undefined) node.timestamp(startedAt)
  for (const [name, value] of suiteProperties(state, environment, tests[0])) node.property(name, value)
  for (const test of tests) addCase(node.testCase(), context, caseName(test.planned.id, suite), test)
  finish(node, element => {
    element.att('id', stableId(environment.planned.id, suite, ...(part === 1 ? [] : [String(part)])))
    const host = environment.instances.at(-1)?.host
    if (host !== undefined) element.att('hostname', cleanXmlLine(host, 200))
    if (tests[0] !== undefined) element.att('file', cleanXmlLine(tests[0].planned.manifest, 500))
  })
}

function addCase(node: TestCase, context: Context, name: string, test: TestState): void {
  const { environment, options } = context
  const rich = options.profile === 'rich'
  const { decisive } = test
  const waiver = waiverOf(test, options)
  const message =
    waiver === undefined
      ? messageOf(test)
      : cleanXmlLine(
          `WAIVED ${waiver.id} until ${waiver.expires}; original: ${test.verdict}: ${messageOf(test)}`,
          500,
        )
  node.name(name).className(className(environment.planned.id, test.planned.suite))
  setTime(node, durationMsOf(test))
  if (rich) {
    node.file(cleanXmlLine(test.planned.manifest, 500))
    for (const [key, value] of caseProperties(test, environment, options.attachments))
      node.property(key, value)
  }
  const type = outcomeType({ ...test, counts: decisive?.counts ?? noChecks })
  if (waiver !== undefined) {
    node.property('waiver', cleanXmlLine(`${waiver.id}: ${waiver.reason} (${waiver.link})`, 700))
    node.skipped()
  } else if (test.verdict === 'fail') node.failure(message, type)
  else if (test.verdict === 'skip') node.skipped()
  else if (test.verdict !== 'pass') node.error(message, type)

  finish(node, element => {
    if (rich) {
      element.att('id', stableId(test.planned.suite, test.planned.id, environment.planned.id))
      element.att('line', String(test.planned.line))
      element.att('assertions', String(assertionsOf(decisive)))
      if (decisive !== null && decisive.startedAt !== null) element.att('timestamp', decisive.startedAt)
    }
    const outcome = test.verdict === 'pass' ? undefined : element.children.at(-1)
    if (outcome !== undefined) {
      const where = instanceText(environment, decisive?.instance ?? null)
      if (test.verdict === 'skip' || waiver !== undefined) (outcome as Element).att('message', message)
      put(outcome as Element, test.verdict === 'skip' ? message : detailsOf(test, decisive, where))
    }
    for (const attempt of test.attempts) {
      if (attempt !== decisive && isTried(attempt)) addAttempt(element, context, test, attempt)
    }
    if (decisive !== null) addOutput(element, context, decisive)
  })
}

/** Each stream once, and only where there is something to say. */
function addOutput(element: Element, { attachments }: Context, attempt: AttemptState): void {
  const output = outputOf(attempt, attachments)
  if (output !== '') put(element.ele('system-out'), `${output}\n`)
  const errors = errorOutputOf(attempt)
  if (errors !== '') put(element.ele('system-err'), `${errors}\n`)
}

/** An attempt beside the one that decided. Readers know `flakyFailure` and not `flakyError`. */
function addAttempt(element: Element, context: Context, test: TestState, attempt: AttemptState): void {
  const { environment, options } = context
  const node = element.ele(test.verdict === 'pass' ? 'flakyFailure' : 'rerunFailure', {
    message: messageOf(attempt),
    type: outcomeType(attempt),
  })
  if (options.profile === 'rich') node.att('time', seconds(attempt.durationMs))
  put(node.ele('stackTrace'), detailsOf(test, attempt, instanceText(environment, attempt.instance)))
  addOutput(node, context, attempt)
}

/** Lets `more` add what the builder has no words for, after it has made its own element. */
function finish(node: TestCase | TestSuite, more: (element: Element) => void): void {
  const build = node.build.bind(node) as (parent: Element) => Element
  const decorated = (parent?: Element): Element => {
    if (parent === undefined) throw new TypeError('a suite or case is built into its parent')
    const element = build(parent)
    more(element)
    return element
  }
  node.build = decorated
}

/** One CDATA section, or escaped text where CDATA would end early: never both, as readers join badly. */
function put(element: Element, text: string): void {
  if (text.includes(']]>')) element.txt(text)
  else element.cdata(text)
}

/** The builder takes numbers, and would write small ones with an exponent: it passes texts on as they are. */
function setTime(node: TestCase | TestSuite, ms: number): void {
  node.time(seconds(ms) as unknown as number)
}

/** The final attempt's time: what a retry costs is not a property of the test. */
function durationMsOf({ decisive }: TestState): number {
  return decisive?.durationMs ?? 0
}

function assertionsOf(attempt: AttemptState | null): number {
  const { ok, notOk, todo, skip } = attempt?.counts ?? noChecks
  return ok + notOk + todo + skip
}

const noChecks = { ok: 0, notOk: 0, todo: 0, skip: 0 }

function isTried({ verdict }: AttemptState): boolean {
  return verdict === 'fail' || verdict === 'error'
}

/** Everything else rests on the bring-up. */
function ownFirst(a: string, b: string): number {
  return Number(b === ownSuite) - Number(a === ownSuite)
}
