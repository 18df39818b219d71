import fc from 'fast-check'
import t from 'tap'
import { elements, type ReadElement, readXml } from '../../../test/read-xml.js'
import {
  type SampleJournal,
  sampleEnvironment,
  sampleJournal,
  samplePlan,
  sampleTest,
} from '../../../test/sample-run.js'
import type { Verdict } from '../../journal/events.js'
import { foldRun } from '../../journal/fold.js'
import { junitFor, runSuites } from './build.js'
import type { Profile } from './document.js'
import { messageOf } from './text.js'

const environment = 'rhel5@rhel-kvm-9.6/bios'
const profiles: readonly Profile[] = ['rich', 'strict']
const tests = ['clock/drift', 'clock/monotonic', 'core/identity', 'core/reboot', 'core/memory', 'core/disk']
const plan = samplePlan([
  sampleEnvironment(
    environment,
    tests.map(id => sampleTest(id)),
  ),
])

function documentOf(journal: SampleJournal, profile: Profile = 'rich', attachments?: string): ReadElement {
  const options = attachments === undefined ? { profile } : { profile, attachments }
  return readXml(junitFor(foldRun(plan, journal.events), environment, options))
}

function caseOf(document: ReadElement, name: string): ReadElement {
  const found = elements(document, 'testcase').find(({ attributes }) => attributes.name === name)
  if (found === undefined) throw new Error(`no case ${name}`)
  return found
}

function sum(from: readonly ReadElement[], attribute: string): number {
  return from.reduce((total, { attributes }) => total + Number(attributes[attribute]), 0)
}

/** The children of a case beside its properties. */
function outcomes(document: ReadElement, name: string): string[] {
  return caseOf(document, name)
    .children.map(child => child.name)
    .filter(child => child !== 'properties')
}

t.test('before anything ran, every planned test is an error', async t => {
  for (const profile of profiles) {
    const document = documentOf(sampleJournal(plan), profile)
    t.equal(elements(document, 'testcase').length, tests.length)
    const counted = profile === 'rich' ? [document] : elements(document, 'testsuite')
    t.equal(sum(counted, 'tests'), 6)
    t.equal(sum(counted, 'errors'), 6)
    t.equal(sum(counted, 'failures'), 0)
    for (const error of elements(document, 'error')) t.equal(error.attributes.type, 'NotRun')
  }
})

t.test('only an observed pass is green', async t => {
  const journal = sampleJournal(plan)
    .test(environment, 'clock/drift', 'pass')
    .test(environment, 'clock/monotonic', 'fail')
    .test(environment, 'core/identity', 'error')
    .test(environment, 'core/reboot', 'blocked', { instance: null })
    .test(environment, 'core/memory', 'skip')
  const document = documentOf(journal)
  t.same(outcomes(document, 'drift'), ['system-out'])
  t.same(outcomes(document, 'monotonic'), ['failure', 'system-out'])
  t.same(outcomes(document, 'identity'), ['error'])
  t.same(outcomes(document, 'reboot'), ['error'])
  t.same(outcomes(document, 'memory'), ['skipped'])
  t.same(outcomes(document, 'disk'), ['error'])
  t.match(document.attributes, { tests: '6', failures: '1', errors: '3', skipped: '1' })
  t.match(caseOf(document, 'memory').children.at(-1), {
    attributes: { message: 'because of skip' },
    text: 'because of skip',
  })
})

t.test('a failure repeats its message, its place and its failed checks in its text', async t => {
  const seen = ['ok first', 'not ok the clock is right\nexpected: 5\n  got: 7']
  const document = documentOf(
    sampleJournal(plan).test(environment, 'clock/drift', 'fail', { seen, reason: 'the clock is right' }),
  )
  const [failure] = elements(document, 'failure')
  t.match(failure?.attributes, { message: 'the clock is right', type: 'AssertionFailed' })
  t.match(failure?.text, /^the clock is right\nsuites\/clock\/suite\.yaml:7: clock\/drift: What /)
  t.match(failure?.text, /not ok - the clock is right\n {4}expected: 5\n {6}got: 7$/)
  t.notMatch(failure?.text, /first/)
})

t.test('attempts before a pass are flaky failures, before anything else reruns', async t => {
  const retried = (verdict: Verdict): ReadElement =>
    documentOf(
      sampleJournal(plan)
        .test(environment, 'clock/drift', 'error', { final: false, reason: 'connection lost' })
        .test(environment, 'clock/drift', verdict, { attempt: 2, durationMs: 250 }),
    )
  t.same(outcomes(retried('pass'), 'drift'), ['flakyFailure', 'system-out'])
  t.same(outcomes(retried('error'), 'drift'), ['error', 'rerunFailure'])
  const [flaky] = elements(retried('pass'), 'flakyFailure')
  t.match(flaky?.attributes, { message: 'connection lost', type: 'Infra.Host', time: '1.500' })
  t.match(flaky?.children[0], { name: 'stackTrace', text: /^connection lost\n/ })
  t.equal(caseOf(retried('pass'), 'drift').attributes.time, '0.250', "the final attempt's time")
})

t.test('identity does not depend on titles, order or runs', async t => {
  const other = samplePlan([
    sampleEnvironment(
      environment,
      tests.toReversed().map(id => sampleTest(id, { title: 'Another title' })),
    ),
  ])
  const identities = (document: ReadElement): unknown =>
    elements(document, 'testcase').map(({ attributes }) => [
      attributes.id,
      attributes.classname,
      attributes.name,
    ])
  const first = documentOf(sampleJournal(plan).test(environment, 'clock/drift', 'pass'))
  const second = readXml(junitFor(foldRun(other, []), environment, { profile: 'rich' }))
  t.same(identities(first), identities(second))
  t.match(caseOf(first, 'drift').attributes, {
    classname: 'rhel5@rhel-kvm-9_6/bios.clock',
    file: 'suites/clock/suite.yaml',
    line: '7',
    assertions: '1',
    timestamp: '2026-11-22T10:15:02.000Z',
  })
})

t.test('the strict profile leaves out what its schema does not know', async t => {
  const journal = sampleJournal(plan)
    .test(environment, 'clock/drift', 'error', { final: false })
    .test(environment, 'clock/drift', 'pass', { attempt: 2 })
  const document = documentOf(journal, 'strict')
  // Three of four counts would make skips of passes, for a reader that takes the root's word.
  t.same(Object.keys(document.attributes).sort(), ['name', 'time'])
  for (const one of elements(document, 'testcase')) {
    t.same(Object.keys(one.attributes).sort(), ['classname', 'name', 'time'])
    t.same(elements(one, 'properties'), [])
  }
  t.same(Object.keys(elements(document, 'flakyFailure')[0]?.attributes ?? {}).sort(), ['message', 'type'])
})

t.test('evidence is pointed to, and only our own lines attach files', async t => {
  const evidence = [{ path: 'evidence/e/i1/drift.log', sha256: 'f'.repeat(64), bytes: 10, cutBytes: 5 }]
  const journal = sampleJournal(plan).test(environment, 'clock/drift', 'fail', {
    evidence,
    seen: ['not ok [[ATTACHMENT|/etc/passwd]]\n[[ATTACHMENT|/etc/shadow]]'],
  })
  const output = elements(documentOf(journal, 'rich', 'reports/r1'), 'system-out')[0]?.text ?? ''
  t.same(output.match(/\[\[ATTACHMENT\|.*/g), ['[[ATTACHMENT|reports/r1/evidence/e/i1/drift.log]]'])
  t.match(output, /# evidence: evidence\/e\/i1\/drift\.log \(10 bytes, 5 cut\)/)
  t.notMatch(elements(documentOf(journal), 'system-out')[0]?.text, /\[\[ATTACHMENT/)
})

t.test('the first attachment is the most useful one, and none takes the place of another', async t => {
  const file = (path: string): { path: string; sha256: string; bytes: number } => ({
    path,
    sha256: 'f'.repeat(64),
    bytes: 1,
  })
  const journal = sampleJournal(plan)
    .test(environment, 'clock/drift', 'fail', {
      evidence: [file('e/i1/console.txt'), file('e/i1/drift.1.stdout.txt'), file('e/i1/drift.1.stderr.txt')],
    })
    .test(environment, 'clock/monotonic', 'fail', { evidence: [file('e/i2/console.txt')] })
  const document = documentOf(journal, 'rich', 'reports/r1')
  const attached = elements(document, 'system-out').map(({ text }) => text.match(/(?<=ATTACHMENT\|)[^\]]*/g))
  t.same(attached, [
    [
      'reports/r1/e/i1/drift.1.stderr.txt',
      'reports/r1/e/i1/drift.1.stdout.txt',
      'reports/r1/e/i1/console.txt',
    ],
    null,
  ])
  const properties = elements(caseOf(document, 'monotonic'), 'property').map(({ attributes }) => attributes)
  t.match(
    properties.filter(({ name }) => name === 'attachment'),
    [{ value: 'reports/r1/e/i2/console.txt' }],
  )
})

t.test('the end of standard error stands in system-err, in both profiles', async t => {
  const stderr = 'mount: \x1b[31munknown\x1b[0m filesystem\n'
  const journal = sampleJournal(plan)
    .test(environment, 'clock/drift', 'error', { final: false, stderr: 'first' })
    .test(environment, 'clock/drift', 'fail', { attempt: 2, stderr })
    .test(environment, 'core/disk', 'pass')
  for (const profile of profiles) {
    const document = documentOf(journal, profile)
    t.same(outcomes(document, 'drift'), ['failure', 'rerunFailure', 'system-out', 'system-err'])
    t.same(
      elements(document, 'system-err').map(({ text }) => text),
      ['first\n', 'mount: unknown filesystem\n'],
    )
  }
})

t.test('a suite carries the labels of its run, and what its guest and hosts showed', async t => {
  const journal = sampleJournal(plan, { build: '42' })
    .add({ type: 'host-observed', host: 'kvm-1', facts: { kernel: '5.14' } })
    .add({ type: 'host-observed', host: 'kvm-2', facts: { kernel: '6.1' } })
    .add({ type: 'instance-started', environment, instance: 'i1', host: 'kvm-1', attempt: 1 })
  const properties = elements(documentOf(journal), 'properties')[0]?.children.map(
    ({ attributes }) => `${attributes.name}=${attributes.value}`,
  )
  t.ok(properties?.includes('label.build=42'))
  t.ok(properties?.includes('host.kvm-1.kernel=5.14'))
  t.notOk(properties?.some(text => text.includes('kvm-2')))
})

t.test('trouble that belongs to no test has a suite of its own', async t => {
  const journal = sampleJournal(plan)
  for (const { id } of plan.environments[0]?.tests ?? []) journal.test(environment, id, 'pass')
  t.notMatch(junitFor(foldRun(plan, journal.events), environment, { profile: 'rich' }), 'trouble')
  journal
    .add({ type: 'instance-started', environment, instance: 'i1', host: 'kvm-1', attempt: 1 })
    .add({
      type: 'instance-ended',
      environment,
      instance: 'i1',
      undone: [],
      orphan: 'the domain gc-1 <&>',
      kept: false,
      evidence: [],
    })
    .add({ type: 'host-set-aside', host: 'kvm-1', failures: 3, reason: 'no answer' })
  const state = foldRun(plan, journal.events)
  const document = readXml(junitFor(state, environment, { profile: 'rich' }))
  t.match(document.attributes, { tests: '7', errors: '1' })
  t.match(elements(document, 'testsuite').at(-1), {
    attributes: { name: `${environment}/guestcert/trouble`, tests: '1', errors: '1' },
  })
  t.match(elements(document, 'error'), [
    {
      attributes: {
        type: 'Infra.LeftBehind',
        message: 'instance i1 left something behind on kvm-1: the domain gc-1 <&>',
      },
    },
  ])
  const ofTheRun = runSuites(state, { profile: 'rich' })
  t.match(ofTheRun.counts, { tests: 1, errors: 1 })
  t.match(elements(readXml(`<r>${ofTheRun.text}</r>`), 'error'), [
    { attributes: { type: 'Infra.Host', message: /kvm-1 was set aside .*no answer/ } },
  ])
})

t.test('output is bounded, keeps its end and tells what was cut', async t => {
  const seen = Array.from({ length: 4000 }, (_, index) => `ok check ${index} ${'x'.repeat(40)}`)
  const passed = documentOf(sampleJournal(plan).test(environment, 'clock/drift', 'pass', { seen }))
  const text = elements(passed, 'system-out')[0]?.text ?? ''
  t.ok(Buffer.byteLength(text) < 4200)
  t.match(text, /^\[\d+ bytes cut; the whole is in journal\.ndjson\]\nok - check \d+/)
  t.match(text, /check 3999/)
})

t.test('results of emulated guests say so in the name of their suite', async t => {
  const emulated = samplePlan([
    sampleEnvironment(environment, [sampleTest('clock/drift')], { emulated: true }),
  ])
  const document = readXml(junitFor(foldRun(emulated, []), environment, { profile: 'strict' }))
  t.equal(elements(document, 'testsuite')[0]?.attributes.name, `${environment}/clock (EMULATED)`)
})

t.test('an environment without tests has a document without cases', async t => {
  const empty = samplePlan([sampleEnvironment(environment, [])])
  const document = readXml(junitFor(foldRun(empty, []), environment, { profile: 'strict' }))
  t.match(elements(document, 'testsuite'), [{ attributes: { tests: '0' } }])
})

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(
      fc.constantFrom(
        ']]>',
        ']]',
        '>',
        ']',
        '<![CDATA[',
        '&',
        '&#0;',
        '"',
        "'",
        '<',
        '--',
        '\0',
        '\x1b',
        '\x1b[31m',
        '\r',
        '\n',
        '\t',
        '\ud800',
        '\udc00',
        '\ufffe',
        '\u{1ffff}',
        '[[ATTACHMENT|x]]',
        '?>',
        'a',
      ),
      { maxLength: 12 },
    )
    .map(parts => parts.join('')),
)
const verdicts = ['pass', 'fail', 'error', 'skip', 'blocked', 'not-run'] as const
const arbitraryTest = fc.record({
  verdict: fc.constantFrom(...verdicts),
  retried: fc.boolean(),
  reason: nasty,
  title: nasty,
  text: nasty,
  diagnostics: nasty,
  path: nasty,
})

t.test(
  'whatever a guest says, both documents are well formed and hold exactly the planned tests',
  async t => {
    fc.assert(
      fc.property(
        fc.array(arbitraryTest, { minLength: 1, maxLength: 4 }),
        nasty,
        nasty,
        (drawn, host, fact) => {
          const id = 'g@p-1/c'
          const planned = drawn.map(({ title }, index) =>
            sampleTest(`s/${index}`, { title, requirements: [title] }),
          )
          const arbitrary = samplePlan([sampleEnvironment(id, planned)])
          const journal = sampleJournal(arbitrary)
          const instance = 'i1'
          journal.add({ type: 'instance-started', environment: id, instance, host, attempt: 1 })
          journal.add({
            type: 'instance-ready',
            environment: id,
            instance,
            bootIdentity: fact,
            hostKey: null,
            factsDigest: '',
            facts: { [fact]: fact },
          })
          drawn.forEach(({ verdict, retried, reason, text, diagnostics, path }, index) => {
            const evidence = [{ path, sha256: 'f'.repeat(64), bytes: 1 }]
            const says = verdict === 'pass' ? '' : reason
            if (retried) journal.test(id, `s/${index}`, 'error', { final: false, reason, evidence })
            const state = verdict === 'fail' ? 'not-ok' : 'todo'
            const seen = ['ok x', { state, text, diagnostics } as const]
            const attempt = retried ? 2 : 1
            journal.test(id, `s/${index}`, verdict, { attempt, reason: says, evidence, seen })
          })
          const state = foldRun(arbitrary, journal.events)
          for (const profile of profiles) {
            const xml = junitFor(state, id, { profile, attachments: 'reports/x' })
            const document = readXml(xml)
            const [suite] = elements(document, 'testsuite')
            const cases = elements(document, 'testcase')
            const counted = (name: string): string => String(elements(document, name).length)
            for (const group of profile === 'rich' ? [document, suite] : [suite]) {
              same(group?.attributes.tests, String(cases.length))
              same(group?.attributes.failures, counted('failure'))
              same(group?.attributes.errors, counted('error'))
            }
            same(suite?.attributes.skipped, counted('skipped'))
            same(cases.length, drawn.length)
            drawn.forEach(({ verdict, reason }, index) => {
              const one = cases.find(({ attributes }) => attributes.name === String(index))
              const names = (one?.children ?? []).map(({ name }) => name)
              same(names.includes('failure'), verdict === 'fail')
              same(names.includes('skipped'), verdict === 'skip')
              same(names.includes('error'), ['error', 'blocked', 'not-run'].includes(verdict))
              if (verdict !== 'pass') {
                const outcome = one?.children.find(({ name }) =>
                  ['failure', 'skipped', 'error'].includes(name),
                )
                same(outcome?.attributes.message, messageOf({ verdict, reason }))
              }
              for (const element of one?.children ?? []) {
                if (element.cdata > 1) throw new Error(`${element.name} has ${element.cdata} CDATA sections`)
              }
            })
            if (xml.replace(/<!\[CDATA\[.*?\]\]>/gs, '').includes('&#'))
              throw new Error('a numeric reference was written')
            if (/\p{Cs}/u.test(xml)) throw new Error('a lone surrogate was written')
          }
        },
      ),
      { numRuns: 300 },
    )
    t.pass('no counterexample')
  },
)

function same(found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`found ${String(found)}, wanted ${String(wanted)}`)
}
