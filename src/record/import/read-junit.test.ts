import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../../test/sample-run.js'
import { packageRoot } from '../../config/package-root.js'
import { foldRun } from '../../journal/fold.js'
import { junitFor } from '../../reports/junit/build.js'
import { importedStatement } from './build.js'
import { readJunit } from './read-junit.js'

const foreign = (name: string): Promise<string> =>
  readFile(join(packageRoot, 'fixtures/inputs/junit', name), 'utf8')
const verdicts = (text: string): string[] =>
  readJunit(text, 'x.xml').cases.map(({ name, verdict }) => `${name}: ${verdict}`)
const case_ = (inner: string, counts = ''): string =>
  `<testsuites><testsuite name="s" ${counts}><testcase classname="c" name="n" ${inner}</testsuite></testsuites>`

t.test("pytest's files are read: skips, broken fixtures, parameters", async t => {
  t.same(verdicts(await foreign('pytest-7.xml')), [
    'test_pass: pass',
    'test_fail: fail',
    'test_skip: skip',
    'test_error: error',
    'test_xfail: skip',
    'test_xpass: pass',
    'test_sizes[1]: pass',
    'test_sizes[2]: fail',
  ])
  t.equal(readJunit(await foreign('pytest-7.xml'), 'x.xml').at, '2026-11-30T22:11:08.420Z')
})

t.test(
  "node --test's files are read: cases outside of suites, nested suites, what is to do and failed",
  async t => {
    t.same(verdicts(await foreign('node-test-20.xml')), [
      'passes: pass',
      'fails: fail',
      'is skipped: skip',
      'is to do: fail',
      'inside: pass',
      'below: fail',
      'never runs: fail',
    ])
    t.equal(readJunit(await foreign('node-test-20.xml'), 'x.xml').at, null)
  },
)

t.test("Pester's files are read: a byte order mark, what is inconclusive, a setup that failed", async t => {
  const text = await foreign('pester-6.2.xml')
  t.equal(text.codePointAt(0), 0xfeff)
  t.same(verdicts(text), [
    'guest.answers: pass',
    'guest.fails: fail',
    'guest.is not known: error',
    'guest.is left out: skip',
    'guest.is skipped inside: skip',
    'guest.throws: fail',
    'guest.has 1 disks: pass',
    'guest.has 2 disks: fail',
    'broken setup.never ran: fail',
    'broken setup.nor did this: fail',
  ])
})

t.test('a byte order mark is not a fault, and another status than passed is not a pass', async t => {
  t.same(verdicts(`\ufeff${case_('status="Passed"/>')}`), ['n: pass'])
  t.same(verdicts(case_('status="Inconclusive"/>')), ['n: error'])
  t.same(verdicts(case_('status="run" result="completed"/>')), ['n: pass'])
  t.same(verdicts(case_('result="failed"/>')), ['n: error'])
  t.same(verdicts(case_('status="Inconclusive"><skipped message=""/></testcase>')), ['n: error'])
})

t.test('a case that failed again and again is not a pass, and one that passed at last is flaky', async t => {
  t.same(verdicts(case_('><rerunFailure/></testcase>')), ['n: fail'])
  t.match(readJunit(case_('><flakyFailure/></testcase>'), 'x.xml').cases, [{ verdict: 'pass', flaky: true }])
})

t.test('what could hide a failure is refused', async t => {
  const refused: readonly (readonly [string, RegExp])[] = [
    [case_('/>', 'tests="2"'), /counts 2 tests, and has 1 cases/],
    [case_('/>', 'tests="1" failures="1"'), /counts 1 failures, and none of its cases has one/],
    ['<testsuites><testsuite name="s" tests="1" errors="1"></testsuite></testsuites>', /counts 1 failures/],
    ['<testsuites></testsuites>', /no test case/],
    ['<testsuite><failure/><testcase name="n"/></testsuite>', /stands outside of every case/],
    [case_('/>', 'failures="1,0"'), /counts "1,0" failures, which is not a number/],
    [
      '<testsuite failures="2"><testcase name="a"><failure/></testcase><testcase name="b"/></testsuite>',
      /counts 2 failures, and its cases have 1/,
    ],
    [case_('><Failure/></testcase>'), /an element <Failure>/],
    [case_('><x:failure xmlns:x="urn:x"/></testcase>'), /an element <x:failure>/],
    ['<html></html>', /not a JUnit file/],
    [
      '<testsuites tests="1" failures="1"><testsuite tests="1"><testcase name="a"/></testsuite></testsuites>',
      /the file counts 1 failures, and none of its cases has one/,
    ],
    [
      '<testsuites errors="2"><testsuite><testcase name="a"><error/></testcase></testsuite></testsuites>',
      /the file counts 2 failures, and its cases have 1/,
    ],
    ['<!DOCTYPE x [<!ENTITY a "b">]><testsuites/>', /document type is refused/],
    ['<testsuites><testsuite name="s"><testcase name="n"', /not well-formed/],
    [`${'<testsuite>'.repeat(100)}${'</testsuite>'.repeat(100)}`, /nested deeper/],
    [
      case_('><properties><property name="verdict" value="pass"/></properties><failure/></testcase>'),
      /says that its verdict is pass/,
    ],
  ]
  for (const [text, message] of refused) t.throws(() => readJunit(text, 'x.xml'), message)
})

t.test('our own rich files are read back without losing a verdict', async t => {
  const id = 'deb@debian-kvm-12/bios'
  const all = ['pass', 'fail', 'error', 'skip', 'blocked', 'not-run'] as const
  const plan = samplePlan([
    sampleEnvironment(
      id,
      all.map(verdict => sampleTest(`core/${verdict}`)),
    ),
  ])
  const journal = sampleJournal(plan)
  for (const verdict of all) if (verdict !== 'not-run') journal.test(id, `core/${verdict}`, verdict)
  const text = junitFor(foldRun(plan, journal.events), id, { profile: 'rich' })
  const { statement } = importedStatement({
    reports: [readJunit(text, 'own.xml')],
    digests: ['0'.repeat(64)],
    tool: 'guestcert',
    mapping: null,
    pairing: {
      guest: { product: 'debian', version: '12', edition: null, arch: 'x86_64' },
      hypervisor: { product: 'debian-kvm', version: '12' },
      configuration: {},
    },
    facts: { guest: { 'os.id': 'debian', 'os.release': '12' }, host: {} },
    at: '2026-11-22T10:00:00.000Z',
  })
  t.same(
    statement.predicate.tests.map(test => [test.id, test.verdict]),
    [...all].sort().map(verdict => [`core/${verdict}`, verdict]),
  )
  t.match(statement.predicate, { importedFrom: 'guestcert', observed: { guest: true, hypervisor: false } })
})

t.test('a mapped test has the worst verdict of its cases, and none when one is missing', async t => {
  const { statement, missing, unmapped } = importedStatement({
    reports: [readJunit(await foreign('pytest-7.xml'), 'x.xml')],
    digests: ['0'.repeat(64)],
    tool: 'pytest',
    mapping: {
      tool: 'pytest',
      tests: {
        'core/sizes': ['test_sizes[1]', 't_test::test_sizes[2]'],
        'core/one': 't_test::test_pass',
        'core/gone': ['test_pass', 'test_gone'],
      },
    },
    pairing: {
      guest: { product: 'debian', version: '12', edition: null, arch: 'x86_64' },
      hypervisor: { product: 'debian-kvm', version: '12' },
      configuration: {},
    },
    facts: { guest: {}, host: {} },
    at: '2026-11-22T10:00:00.000Z',
  })
  t.same(
    statement.predicate.tests.map(test => `${test.id} ${test.verdict}`),
    ['core/sizes fail', 'core/one pass'],
  )
  t.same(missing, ['core/gone'])
  t.ok(unmapped.includes('t_test::test_fail'))
})
