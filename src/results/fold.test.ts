import t from 'tap'
import type { Exit } from '../journal/events.js'
import type { Folded } from './folded.js'
import { foldTap } from './tap.js'

const zero: Exit = { kind: 'code', code: 0 }
const one: Exit = { kind: 'code', code: 1 }

interface Row {
  readonly rule: string
  readonly stdout: string | Buffer
  readonly exit?: Exit
  readonly truncated?: boolean
  readonly undrained?: boolean
  readonly verdict: Folded['verdict']
  readonly cause?: Folded['cause']
  readonly reason: RegExp
}

const rows: readonly Row[] = [
  // What passes.
  { rule: 'plan first', stdout: '1..2\nok 1 - a\nok 2 - b\n', verdict: 'pass', reason: /^$/ },
  { rule: 'plan last', stdout: 'ok 1 - a\nok 2 - b\n1..2\n', verdict: 'pass', reason: /^$/ },
  { rule: 'TAP 13', stdout: 'TAP version 13\n1..1\nok 1 - a\n', verdict: 'pass', reason: /^$/ },
  { rule: 'TAP 14', stdout: 'TAP version 14\n1..1\nok 1 - a\n', verdict: 'pass', reason: /^$/ },
  { rule: 'no numbers', stdout: '1..2\nok\nok - b\n', verdict: 'pass', reason: /^$/ },
  { rule: 'lines that end in CR LF', stdout: '1..1\r\nok 1 - a\r\n', verdict: 'pass', reason: /^$/ },
  { rule: 'chatter', stdout: '1..1\nstarting\nokay then\nok 1 - a\n', verdict: 'pass', reason: /^$/ },
  { rule: 'an ok beside a SKIP', stdout: '1..2\nok 1\nok 2 # SKIP x\n', verdict: 'pass', reason: /^$/ },
  { rule: 'an ok beside a TODO', stdout: '1..2\nok 1\nnot ok 2 # TODO x\n', verdict: 'pass', reason: /^$/ },
  {
    rule: 'subtests',
    stdout: '1..1\n# Subtest: s\n    ok 1 - a\n    1..1\nok 1 - s\n',
    verdict: 'pass',
    reason: /^$/,
  },
  {
    rule: 'subtests in braces',
    stdout: '1..1\nok 1 - s {\n    ok 1 - a\n    1..1\n}\n',
    verdict: 'pass',
    reason: /^$/,
  },

  // A failed check, whatever happens afterwards.
  { rule: 'not ok', stdout: '1..1\nnot ok 1 - a\n', verdict: 'fail', reason: /^not ok: a$/ },
  {
    rule: 'not ok, status 1',
    stdout: '1..1\nnot ok 1 - a\n',
    exit: one,
    verdict: 'fail',
    reason: /^not ok: a$/,
  },
  {
    rule: 'two not ok',
    stdout: '1..2\nnot ok 1 - a\nnot ok 2\n',
    verdict: 'fail',
    reason: /a \(and 1 more\)$/,
  },
  { rule: 'not ok, then cut', stdout: '1..2\nnot ok 1 - a\nok', verdict: 'fail', reason: /a/ },
  {
    rule: 'not ok, then lost',
    stdout: 'not ok 1 - a\n',
    exit: { kind: 'lost' },
    verdict: 'fail',
    reason: /a/,
  },
  { rule: 'not ok, output cut', stdout: 'not ok 1 - a\n', truncated: true, verdict: 'fail', reason: /a/ },
  { rule: 'not ok, then bail out', stdout: 'not ok 1 - a\nBail out!\n', verdict: 'fail', reason: /a/ },
  { rule: 'not ok without text', stdout: '1..1\nnot ok 1\n', verdict: 'fail', reason: /without a text/ },
  {
    rule: 'not ok with NOT TODO',
    stdout: '1..1\nnot ok 1 - \\# TODO x\n',
    verdict: 'fail',
    reason: /# TODO x/,
  },
  { rule: '1..0, then a failure', stdout: '1..0\nnot ok 1 - a\n', verdict: 'fail', reason: /a/ },
  { rule: 'skip, then a failure', stdout: '1..0 # SKIP x\nnot ok 1 - a\n', verdict: 'fail', reason: /a/ },
  { rule: 'a failure after the plan', stdout: 'ok 1\n1..1\nnot ok 2 - a\n', verdict: 'fail', reason: /a/ },
  {
    rule: 'a failure in a subtest that its parent denies',
    stdout: '1..1\n# Subtest: s\n    not ok 1 - a\n    1..1\nok 1 - s\n',
    verdict: 'fail',
    reason: /^not ok: s › a$/,
  },
  {
    rule: 'a parent that fails though its subtests do not',
    stdout: '1..1\n# Subtest: s\n    ok 1 - a\n    1..1\nnot ok 1 - s\n',
    verdict: 'fail',
    reason: /^not ok: s$/,
  },
  {
    rule: 'a failure in a subtest of a skipped parent',
    stdout: '1..1\n# Subtest: s\n    not ok 1 - a\n    1..1\nok 1 - s # SKIP x\n',
    verdict: 'fail',
    reason: /a/,
  },
  {
    rule: 'a failure in a subtest after the plan',
    stdout: 'ok 1\n1..1\n    not ok 1 - a\n',
    verdict: 'fail',
    reason: /a/,
  },
  {
    rule: 'a failure behind a line separator that stops the parser',
    stdout: '1..1\nok 1\nx\u2028y\nnot ok 2 - a\n',
    verdict: 'fail',
    reason: /a/,
  },
  {
    rule: 'a failure behind a lone carriage return',
    stdout: '1..1\nok 1\n50%\rnot ok 2 - a\n',
    verdict: 'fail',
    reason: /a/,
  },
  {
    rule: 'all ok, status 1',
    stdout: '1..1\nok 1\n',
    exit: one,
    verdict: 'fail',
    reason: /exit status was 1/,
  },

  // The end was not observed.
  {
    rule: 'all ok, lost',
    stdout: '1..1\nok 1\n',
    exit: { kind: 'lost' },
    verdict: 'error',
    cause: 'unknown',
    reason: /no exit status/,
  },
  {
    rule: 'all ok, signal',
    stdout: '1..1\nok 1\n',
    exit: { kind: 'signal', signal: 'TERM' },
    verdict: 'error',
    cause: 'unknown',
    reason: /signal TERM/,
  },
  {
    rule: 'all ok, limit',
    stdout: '1..1\nok 1\n',
    exit: { kind: 'limit', limit: 'test', limitMs: 9 },
    verdict: 'error',
    cause: 'unknown',
    reason: /limit.*test.*9 ms/,
  },
  {
    rule: 'all ok, cut at the size limit',
    stdout: '1..1\nok 1\n',
    truncated: true,
    verdict: 'error',
    cause: 'unknown',
    reason: /size limit/,
  },
  {
    rule: 'all ok, output still held',
    stdout: '1..1\nok 1\n',
    undrained: true,
    verdict: 'error',
    cause: 'test',
    reason: /still holds/,
  },
  {
    rule: 'a skip whose status was lost',
    stdout: '1..0 # SKIP x\n',
    exit: { kind: 'lost' },
    verdict: 'error',
    cause: 'unknown',
    reason: /no exit status/,
  },
  {
    rule: 'the last line of points is cut',
    stdout: '1..2\nok 1\nok 2',
    verdict: 'error',
    cause: 'test',
    reason: /last line is cut/,
  },
  {
    rule: 'the plan is cut to look complete',
    stdout: 'ok 1\n1..1',
    verdict: 'error',
    cause: 'test',
    reason: /last line is cut/,
  },
  {
    rule: 'a plan of twelve, cut to one',
    stdout: 'ok 1 - a\n1..1',
    verdict: 'error',
    cause: 'test',
    reason: /last line is cut/,
  },
  {
    rule: 'a not ok that is cut before its TODO',
    stdout: 'ok 1\nnot ok 2 - a',
    verdict: 'error',
    cause: 'test',
    reason: /cut/,
  },
  {
    rule: 'diagnostics that are cut',
    stdout: '1..1\nok 1\n  ---\n  a: b\n',
    verdict: 'error',
    cause: 'test',
    reason: /without their end/,
  },
  {
    rule: 'bail out',
    stdout: '1..1\nok 1\nBail out! no disk\n',
    verdict: 'error',
    cause: 'unknown',
    reason: /no disk/,
  },
  {
    rule: 'bail out without a reason',
    stdout: 'Bail out!\n',
    verdict: 'error',
    cause: 'unknown',
    reason: /did not say why/,
  },
  {
    rule: 'bail out in a subtest',
    stdout: '1..1\n# Subtest: s\n    ok 1\n    Bail out! x\nok 1\n',
    verdict: 'error',
    cause: 'unknown',
    reason: /x/,
  },

  // The document is not to be believed.
  { rule: 'nothing', stdout: '', verdict: 'error', cause: 'test', reason: /no checks/ },
  {
    rule: 'nothing, status 127',
    stdout: '',
    exit: { kind: 'code', code: 127 },
    verdict: 'error',
    cause: 'test',
    reason: /no checks.*127/,
  },
  { rule: 'blank lines', stdout: '\n\n', verdict: 'error', cause: 'test', reason: /no checks/ },
  { rule: 'chatter alone', stdout: 'all fine\n', verdict: 'error', cause: 'test', reason: /no checks/ },
  { rule: 'no plan', stdout: 'ok 1 - a\n', verdict: 'error', cause: 'test', reason: /no plan/ },
  {
    rule: 'no plan, status 1',
    stdout: 'ok 1 - a\n',
    exit: one,
    verdict: 'error',
    cause: 'test',
    reason: /no plan.*status was 1/,
  },
  {
    rule: 'two plans',
    stdout: '1..1\n1..1\nok 1\n',
    verdict: 'error',
    cause: 'test',
    reason: /out of place: 1\.\.1/,
  },
  {
    rule: 'a plan in the middle',
    stdout: 'ok 1\n1..2\nok 2\n',
    verdict: 'error',
    cause: 'test',
    reason: /out of place/,
  },
  { rule: 'a plan that starts at 2', stdout: '2..2\nok 2\n', verdict: 'error', cause: 'test', reason: /./ },
  {
    rule: 'fewer than planned',
    stdout: '1..2\nok 1\n',
    verdict: 'error',
    cause: 'test',
    reason: /2 checks were planned, 1/,
  },
  {
    rule: 'more than planned',
    stdout: '1..1\nok 1\nok 2\n',
    verdict: 'error',
    cause: 'test',
    reason: /1 checks were planned, 2/,
  },
  {
    rule: 'a plan without points',
    stdout: '1..3\n',
    verdict: 'error',
    cause: 'test',
    reason: /3 checks were planned, 0/,
  },
  {
    rule: 'a number twice',
    stdout: '1..2\nok 1\nok 1\n',
    verdict: 'error',
    cause: 'test',
    reason: /check 1 stands where 2/,
  },
  {
    rule: 'a point without its number among others',
    stdout: '1..2\nok 1\nok\n',
    verdict: 'error',
    cause: 'test',
    reason: /some checks are numbered/,
  },
  {
    rule: 'the wrong order',
    stdout: '1..2\nok 2\nok 1\n',
    verdict: 'error',
    cause: 'test',
    reason: /check 2 stands where 1/,
  },
  {
    rule: 'a log that is printed among the points',
    stdout: '1..3\nok 1\nok 7 - old\nok 2\n',
    verdict: 'error',
    cause: 'test',
    reason: /check 7/,
  },
  {
    rule: 'a whole log that is printed',
    stdout: '1..1\nok 1\nTAP version 14\n1..1\nok 1\n',
    verdict: 'error',
    cause: 'test',
    reason: /out of place|stands where/,
  },
  {
    rule: 'a log that is printed, indented',
    stdout: '1..1\n    ok 1 - old\nok 1 - a\n',
    verdict: 'error',
    cause: 'test',
    reason: /no plan/,
  },
  {
    rule: 'a log that is printed, indented by a tab',
    stdout: '1..1\n\tok 1 - old\nok 1 - a\n',
    verdict: 'error',
    cause: 'test',
    reason: /indented/,
  },
  {
    rule: 'two spaces in not  ok',
    stdout: '1..1\nok 1\nnot  ok 2\n',
    verdict: 'error',
    cause: 'test',
    reason: /out of place/,
  },
  {
    rule: 'NOT OK in capitals',
    stdout: '1..1\nok 1\nNOT OK 2\n',
    verdict: 'error',
    cause: 'test',
    reason: /out of place/,
  },
  {
    rule: 'an old version',
    stdout: 'TAP version 12\n1..1\nok 1\n',
    verdict: 'error',
    cause: 'test',
    reason: /out of place/,
  },
  {
    rule: 'pragma +strict',
    stdout: '1..1\npragma +strict\nok 1\n',
    verdict: 'error',
    cause: 'test',
    reason: /pragma/,
  },
  {
    rule: 'a pragma in a subtest',
    stdout: '1..1\n# Subtest: s\n    pragma -strict\n    1..1\n    ok 1\nok 1 - s\n',
    verdict: 'error',
    cause: 'test',
    reason: /pragma/,
  },
  {
    rule: 'a subtest without a plan',
    stdout: '1..1\n# Subtest: s\n    ok 1\nok 1 - s\n',
    verdict: 'error',
    cause: 'test',
    reason: /subtest "s": there is no plan/,
  },
  {
    rule: 'a subtest that lacks a point',
    stdout: '1..1\n# Subtest: s\n    1..2\n    ok 1\nok 1 - s\n',
    verdict: 'error',
    cause: 'test',
    reason: /subtest "s": 2 checks/,
  },
  {
    rule: 'a subtest without its point',
    stdout: 'ok 1\n1..1\n    ok 1\n    1..1\n',
    verdict: 'error',
    cause: 'test',
    reason: /without its own test point/,
  },
  {
    rule: 'a subtest with nothing in it',
    stdout: '1..1\n# Subtest: s\n    # hello\nok 1 - s\n',
    verdict: 'error',
    cause: 'test',
    reason: /./,
  },
  {
    rule: 'diagnostics of nothing',
    stdout: '1..1\n  ---\n  not ok 1\n  ...\nok 1\n',
    verdict: 'error',
    cause: 'test',
    reason: /diagnostics/,
  },
  {
    rule: 'TODO alone',
    stdout: '1..1\nok 1 # TODO x\n',
    verdict: 'error',
    cause: 'test',
    reason: /no check was executed/,
  },
  {
    rule: 'TODO and SKIP',
    stdout: '1..2\nok 1 # TODO x\nok 2 # SKIP x\n',
    verdict: 'error',
    cause: 'test',
    reason: /no check was executed/,
  },
  {
    rule: 'ok in a subtest of a TODO',
    stdout: '1..1\n# Subtest: s\n    ok 1\n    1..1\nnot ok 1 # TODO x\n',
    verdict: 'error',
    cause: 'test',
    reason: /no check was executed/,
  },
  {
    rule: 'ok in a subtest of a SKIP',
    stdout: '1..1\n# Subtest: s\n    ok 1\n    1..1\nok 1 # SKIP x\n',
    verdict: 'skip',
    cause: 'guest',
    reason: /x/,
  },
  {
    rule: 'a parent of a skipped subtest',
    stdout: '1..1\n# Subtest: s\n    1..0 # SKIP x\nok 1 - s\n',
    verdict: 'error',
    cause: 'test',
    reason: /no check was executed/,
  },

  {
    rule: 'a point that was skipped and failed at once',
    stdout: '1..2\nok 1\nnot ok 2 # SKIP x\n',
    verdict: 'error',
    cause: 'test',
    reason: /skipped and failed/,
  },

  // Skips.
  { rule: 'skip all', stdout: '1..0 # SKIP no disk\n', verdict: 'skip', cause: 'guest', reason: /^no disk$/ },
  {
    rule: 'skip all with a comment',
    stdout: 'TAP version 14\n# hm\n1..0 # SKIP no disk\n',
    verdict: 'skip',
    cause: 'guest',
    reason: /^no disk$/,
  },
  {
    rule: 'every point a SKIP',
    stdout: '1..1\nok 1 - a # SKIP no disk\n',
    verdict: 'skip',
    cause: 'guest',
    reason: /^no disk$/,
  },
  { rule: '1..0 without a reason', stdout: '1..0\n', verdict: 'error', cause: 'test', reason: /no reason/ },
  {
    rule: '1..0 # TODO',
    stdout: '1..0 # TODO later\n',
    verdict: 'error',
    cause: 'test',
    reason: /no reason/,
  },
  {
    rule: 'skip all, status 1',
    stdout: '1..0 # SKIP x\n',
    exit: one,
    verdict: 'error',
    cause: 'test',
    reason: /clean end.*status was 1/,
  },
  {
    rule: 'skip all, then a point',
    stdout: '1..0 # SKIP x\nok 1\n',
    verdict: 'error',
    cause: 'test',
    reason: /./,
  },
  {
    rule: 'skip all among other output',
    stdout: 'segfault\n1..0 # SKIP x\n',
    verdict: 'error',
    cause: 'test',
    reason: /other output/,
  },
  { rule: 'skip all, cut', stdout: '1..0 # SKIP x', verdict: 'error', cause: 'test', reason: /cut/ },
]

for (const row of rows) {
  t.test(`${row.rule}: ${row.verdict}`, async t => {
    const folded = foldTap({
      stdout: row.stdout,
      exit: row.exit ?? zero,
      truncated: row.truncated ?? false,
      ...(row.undrained === undefined ? {} : { undrained: row.undrained }),
    })
    const cause = row.cause ?? (row.verdict === 'fail' ? 'guest' : undefined)
    t.match(folded, { verdict: row.verdict, reason: row.reason })
    t.equal(folded.cause, cause, 'the cause')
    t.equal('cause' in folded, row.verdict !== 'pass', 'a cause on all but a pass')
  })
}

t.test('bytes are read as UTF-8, whatever they are', async t => {
  const stdout = Buffer.concat([
    Buffer.from('1..1\nok 1 - '),
    Buffer.from([0xff, 0xfe, 0x00]),
    Buffer.from('\n'),
  ])
  const folded = foldTap({ stdout, exit: zero, truncated: false })
  t.equal(folded.verdict, 'pass')
  t.match(folded.checks[0]?.text, /\ufffd/)
})
