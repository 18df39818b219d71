import { install } from '@sinonjs/fake-timers'
import fc from 'fast-check'
import stringWidth from 'string-width'
import t from 'tap'
import {
  type SampleJournal,
  sampleEnvironment,
  sampleJournal,
  samplePlan,
  sampleTest,
} from '../../../test/sample-run.js'
import { exitCodeOf } from '../../journal/exit.js'
import { openFold } from '../../journal/fold.js'
import type { Plan } from '../../plan/types.js'
import { createReporter, type ReporterSettings } from './kinds.js'

const real = 'ws2008@rhel-kvm-9.6/bios'
const emulated = 'rhel5@rhel-kvm-9.6/bios'
const plan = samplePlan([
  sampleEnvironment(real, [sampleTest('clock/drift'), sampleTest('core/memory', { level: 'optional' })]),
  sampleEnvironment(emulated, [sampleTest('clock/drift')], { emulated: true }),
])

interface Told {
  readonly text: string
  readonly lines: readonly string[]
}

function told(
  journal: SampleJournal,
  settings: Partial<ReporterSettings> & { readonly columns?: number } = {},
): Told {
  let text = ''
  const { columns, ...rest } = settings
  const stream = {
    isTTY: columns !== undefined,
    ...(columns === undefined ? {} : { columns }),
    write: (piece: string) => {
      text += piece
    },
  }
  const of: Plan = rest.plan ?? plan
  const fold = openFold(of)
  const reporter = createReporter({ kind: 'auto', env: {}, parallel: 2, ...rest, plan: of, fold, stream })
  for (const event of journal.events) {
    fold.add(event)
    reporter.event(event)
  }
  const state = fold.state()
  reporter.end(state, exitCodeOf(state), `${process.cwd()}/reports/r1`)
  return { text, lines: text.split('\n') }
}

/** The line of a finished test, with its blanks squeezed. */
function lineOf({ lines }: Told, environment: string, test: string): string {
  const found = lines.find(line => /\d+\/\d+/.test(line) && line.includes(environment) && line.includes(test))
  return (found ?? '')
    .replace(/^\d\d:\d\d:\d\d /, '')
    .replace(/ +/g, ' ')
    .trim()
}

t.test('the first lines say what runs, and that results of emulated guests certify nothing', async t => {
  const { lines } = told(sampleJournal(plan))
  t.same(lines.slice(0, 4), [
    'guestcert 0.1.0 · lab westford-3 · run 20261122-101500-a1b2',
    'Running 3 tests in 2 environments, 2 at once',
    '1 environment is EMULATED: such results certify nothing',
    '',
  ])
})

t.test('each finished test has one line: count, verdict, environment, test, duration', async t => {
  const output = told(
    sampleJournal(plan)
      .test(real, 'clock/drift', 'pass')
      .test(emulated, 'clock/drift', 'skip', { reason: 'no such clock' })
      .test(real, 'core/memory', 'blocked', { instance: null, reason: 'clock/drift did not pass' }),
  )
  t.equal(lineOf(output, 'ws2008', 'clock/drift'), '1/3 ✓ pass ws2008@rhel-kvm-9.6 clock/drift 1.5 s')
  t.equal(
    lineOf(output, 'rhel5', 'clock/drift'),
    '2/3 - skip rhel5@rhel-kvm-9.6 (emulated) clock/drift 1.5 s no such clock',
  )
  t.equal(
    lineOf(output, 'ws2008', 'core/memory'),
    '3/3 ■ blocked ws2008@rhel-kvm-9.6 core/memory clock/drift did not pass',
  )
  const columns = output.lines
    .filter(line => /\d\/\d/.test(line))
    .map(line => line.search(/clock\/drift|core\/memory/))
  t.equal(new Set(columns).size, 1, 'the columns stand below each other')
})

t.test('environments keep their whole identity where the short one is not theirs alone', async t => {
  const twins = samplePlan([
    sampleEnvironment(real, [sampleTest('clock/drift')]),
    sampleEnvironment('ws2008@rhel-kvm-9.6/uefi', [sampleTest('clock/drift')]),
  ])
  const output = told(sampleJournal(twins).test(real, 'clock/drift', 'pass'), { plan: twins })
  t.match(lineOf(output, real, 'clock/drift'), '✓ pass ws2008@rhel-kvm-9.6/bios clock/drift')
})

t.test('a failure shows the end of its standard error', async t => {
  const stderr = `${Array.from({ length: 30 }, (_, line) => `line ${line}`).join('\n')}\nmount: no such device\n`
  const output = told(sampleJournal(plan).test(real, 'clock/drift', 'fail', { stderr }))
  t.match(output.text, /standard error \(end\):\n {7}line 21\n[\s\S]* {7}mount: no such device\n/)
  t.notMatch(output.text, 'line 20\n')
})

t.test('a test that is tried again says so, and counts once', async t => {
  const output = told(
    sampleJournal(plan)
      .test(real, 'clock/drift', 'error', { final: false, reason: 'connection lost' })
      .test(real, 'clock/drift', 'pass', { attempt: 2 }),
  )
  t.match(output.text, /↻ error {3,}ws2008.* will be tried again: connection lost/)
  t.match(lineOf(output, 'ws2008', 'clock/drift'), /^1\/3 ~ flaky /)
  t.match(
    output.text,
    /Flaky \(1\)\n {2}~ ws2008@rhel-kvm-9\.6 › clock\/drift {2}attempt 1: error: connection lost/,
  )
  t.notMatch(output.text, / {2}1\) /, 'what passed in the end is not a numbered failure')
})

t.test('a failure is told in full once it is final, under its number', async t => {
  const output = told(
    sampleJournal(plan)
      .add({ type: 'instance-started', environment: emulated, instance: 'i1', host: 'kvm-1', attempt: 1 })
      .test(emulated, 'clock/drift', 'fail', {
        reason: 'not ok: in time',
        seen: ['ok up', 'not ok in time\nexpected: 5\n  got: 7'],
        evidence: [{ path: 'evidence/drift.log', sha256: '', bytes: 1 }],
      })
      .test(real, 'core/memory', 'error', { reason: 'the host is gone' }),
    { folder: `${process.cwd()}/reports/r1` },
  )
  t.match(
    output.text,
    [
      '  1) rhel5@rhel-kvm-9.6/bios › clock/drift (emulated)',
      '     What clock/drift shows',
      '',
      '     not ok - in time',
      '       expected: 5',
      '         got: 7',
      '',
      '     cause: guest · i1 on kvm-1 · suites/clock/suite.yaml:7',
      '     reports/r1/evidence/drift.log',
      '',
    ].join('\n'),
  )
  t.match(output.text, '  2) ws2008@rhel-kvm-9.6/bios › core/memory (optional)\n')
  t.match(output.text, 'Failed (1)\n  1) rhel5@rhel-kvm-9.6 (emulated) › clock/drift  not ok: in time\n')
  t.match(output.text, 'Errors (1)\n  2) ws2008@rhel-kvm-9.6 › core/memory (optional)  the host is gone\n')
})

t.test('a pass that its own checks contradict is not shown as one', async t => {
  const output = told(sampleJournal(plan).test(real, 'clock/drift', 'pass', { seen: [] }))
  t.match(lineOf(output, 'ws2008', 'clock/drift'), /^1\/3 ! error/)
  t.match(output.text, 'Bugs of guestcert, please report them (1)')
  t.match(output.text, '  Exit          4: A bug in guestcert')
})

t.test('the summary counts everything, groups what did not run, and explains the exit code', async t => {
  const { text } = told(sampleJournal(plan).test(real, 'clock/drift', 'pass'))
  t.match(
    text,
    [
      'Not run (2)',
      '  ○ ws2008@rhel-kvm-9.6 › core/memory (optional); rhel5@rhel-kvm-9.6 (emulated) › clock/drift  the run ended before it',
      '',
      'Slowest (1)',
      '      1.5 s  ws2008@rhel-kvm-9.6 › clock/drift',
      '',
      '  Tests         3: 1 passed, 2 not run',
      '  Environments  2  1 EMULATED: they certify nothing',
      '  Time          5.0 s',
      '  Reports       reports/r1',
      '  Exit          3: No required test failed, but not all of them were carried out.',
      '  Next          read reports/r1/index.html; then "guestcert run LAB --last-failed" for what did not pass',
      '',
    ].join('\n'),
  )
})

t.test('failures come first, each cause once with all that it hit, and what was slow last', async t => {
  const reason = 'not ok: in time: got 9, expected 5'
  const { text } = told(
    sampleJournal(plan)
      .test(real, 'core/memory', 'skip', { reason: 'no balloon' })
      .test(real, 'clock/drift', 'fail', { reason, durationMs: 61_000 })
      .test(emulated, 'clock/drift', 'fail', { reason }),
  )
  const end = text.slice(text.indexOf('\nFailed'))
  t.same(end.match(/^\w[\w ]* \(\d+\)$/gm), ['Failed (2)', 'Skipped (1)', 'Slowest (3)'])
  t.match(
    end,
    `  1) ws2008@rhel-kvm-9.6 › clock/drift; 2) rhel5@rhel-kvm-9.6 (emulated) › clock/drift  ${reason}\n`,
  )
  t.equal(end.split(reason).length - 1, 1)
})

t.test(
  'where nobody watches, lines have the time, and a minute of silence ends with a heartbeat',
  async t => {
    const clock = install({
      now: Date.parse('2026-11-22T10:15:00Z'),
      toFake: ['setTimeout', 'clearTimeout', 'Date'],
    })
    try {
      let text = ''
      const stream = { isTTY: false, write: (piece: string) => (text += piece) }
      const fold = openFold(plan)
      const reporter = createReporter({ kind: 'auto', env: {}, parallel: 2, plan, fold, stream })
      const journal = sampleJournal(plan)
        .add({ type: 'instance-started', environment: real, instance: 'i1', host: 'kvm-1', attempt: 1 })
        .test(real, 'core/memory', 'pass')
        .add({ type: 'test-started', environment: real, test: 'clock/drift', attempt: 1, instance: 'i1' })
      for (const event of journal.events) {
        fold.add(event)
        reporter.event(event)
      }
      t.match(text, /^10:15:05 1\/3 {2}✓ pass/m)
      text = ''
      clock.tick(59_000)
      t.equal(text, '')
      clock.tick(120_000)
      t.same(
        text
          .trim()
          .split('\n')
          .map(line => line.replace(/ +/g, ' ')),
        [
          '10:16:00 still running, 1 of 3 tests have ended; ws2008@rhel-kvm-9.6: clock/drift for 54.0 s',
          '10:17:00 still running, 1 of 3 tests have ended; ws2008@rhel-kvm-9.6: clock/drift for 1 m 54 s',
        ],
      )
      text = ''
      reporter.end(fold.state(), 3, '/r')
      text = ''
      clock.tick(600_000)
      t.equal(text, '', 'nothing is said after the end')
    } finally {
      clock.uninstall()
    }
  },
)

t.test('what is left on a host, and what was kept on purpose, is not forgotten', async t => {
  const ended = { type: 'instance-ended', environment: real, undone: [], evidence: [] } as const
  const { text } = told(
    sampleJournal(plan)
      .add({ type: 'instance-started', environment: real, instance: 'i1', host: 'kvm-1', attempt: 1 })
      .add({ ...ended, instance: 'i1', orphan: 'stop: the limit was reached', kept: false })
      .add({ type: 'instance-started', environment: real, instance: 'i2', host: 'kvm-1', attempt: 2 })
      .add({ ...ended, instance: 'i2', orphan: 'ssh -p 2222 root@127.0.0.1', kept: true }),
  )
  t.match(text, 'Left behind on hosts (1)\n  i1 on kvm-1: stop: the limit was reached\n')
  t.match(
    text,
    `Kept running (1)\n  i2 on kvm-1: ssh -p 2222 root@127.0.0.1\n    guestcert shell 20261122-101500-a1b2 ${real} --lab LAB\n`,
  )
  t.equal(text.match(/left something behind/g)?.length, 1, 'what is kept on purpose is not an orphan')
})

t.test('quiet tells failures and the summary only', async t => {
  const journal = sampleJournal(plan).test(real, 'clock/drift', 'pass').test(emulated, 'clock/drift', 'fail')
  const { text } = told(journal, { kind: 'quiet' })
  t.match(text, /^\n {2}1\) rhel5@/)
  t.notMatch(text, 'Running')
  t.notMatch(text, '✓ pass')
  t.match(text, 'Exit          1')
})

t.test('json is the journal and nothing else', async t => {
  const journal = sampleJournal(plan).test(real, 'clock/drift', 'pass')
  const { lines } = told(journal, { kind: 'json' })
  t.same(
    lines.filter(line => line !== '').map(line => JSON.parse(line)),
    journal.events,
  )
})

t.test('colours only where they are wanted', async t => {
  const journal = sampleJournal(plan).test(real, 'clock/drift', 'fail')
  const colored = (settings: Parameters<typeof told>[1]): boolean =>
    told(journal, settings).text.includes('\x1b[')
  t.equal(colored({}), false, 'a pipe')
  t.equal(colored({ columns: 120 }), true, 'a terminal')
  t.equal(colored({ columns: 120, env: { NO_COLOR: '1' } }), false)
  t.equal(colored({ columns: 120, env: { NO_COLOR: '' } }), true, 'an empty NO_COLOR says nothing')
  t.equal(colored({ columns: 120, env: { TERM: 'dumb' } }), false)
  t.equal(colored({ env: { FORCE_COLOR: '1' } }), true)
  t.equal(colored({ columns: 120, env: { FORCE_COLOR: '0' } }), false)
  t.equal(colored({ env: { FORCE_COLOR: '1', NO_COLOR: '1' } }), false)
  t.equal(colored({ env: { NO_COLOR: '1' }, color: true }), true, 'the command line has the last word')
  t.equal(colored({ columns: 120, color: false }), false)
  t.equal(colored({ columns: 120, kind: 'plain' }), false)
})

t.test('plain output and ASCII locales hold ASCII', async t => {
  const journal = sampleJournal(plan).test(real, 'clock/drift', 'pass').test(emulated, 'clock/drift', 'fail')
  for (const settings of [
    { kind: 'plain' },
    { env: { LANG: 'C' } },
    { env: { LANG: 'C', LC_ALL: '' } },
  ] as const) {
    t.notMatch(told(journal, settings).text, /[^\0-\x7f]/)
  }
  t.match(told(journal, { env: { LANG: 'C', LC_ALL: 'C.UTF-8' } }).text, '✓')
})

t.test('on a narrow terminal the lines of tests still fit', async t => {
  const long = 'guest-with-a-long-name@hyper-v-server-2012/generation-2-with-everything'
  const wide = samplePlan([
    sampleEnvironment(long, [sampleTest('a-long-suite/with-a-test-of-a-very-long-name')]),
  ])
  const journal = sampleJournal(wide).test(long, 'a-long-suite/with-a-test-of-a-very-long-name', 'skip', {
    reason: 'x'.repeat(300),
  })
  for (const columns of [80, 100, 200]) {
    const { lines } = told(journal, { plan: wide, columns, color: false })
    const line = lines.find(text => text.includes('1/1')) ?? ''
    t.ok(stringWidth(line) > 0 && stringWidth(line) <= columns, `${stringWidth(line)} of ${columns}`)
  }
})

t.test('nothing of a guest reaches the terminal as a command to it', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('fail', 'skip', 'error'), (text, verdict) => {
      const hostile = `${text}\x1b]0;title\x07\x1b[2J\u202e${text}`
      const check = { state: 'not-ok', text: hostile, diagnostics: hostile } as const
      const seen = verdict === 'fail' ? [check] : []
      const output = told(sampleJournal(plan).test(real, 'clock/drift', verdict, { reason: hostile, seen }))
      return !/[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/u.test(output.text)
    }),
  )
  t.pass('no counterexample')
})
