import fc from 'fast-check'
import t from 'tap'
import type { Exit } from '../journal/events.js'
import type { Folded } from './folded.js'
import { foldKtap } from './ktap.js'

function fold(stdout: string, code = 0): Folded {
  const exit: Exit = { kind: 'code', code }
  return foldKtap({ stdout, exit, truncated: false })
}

t.test('nested results, two columns a level', async t => {
  const folded = fold(`KTAP version 1
1..2
  KTAP version 1
  1..2
    KTAP version 1
    1..2
    # sda: read 7, wanted 8
    not ok 1 sda
    ok 2 sdb
  not ok 1 disks
  ok 2 cards # SKIP no card
not ok 1 devices
ok 2 clocks
`)
  t.equal(folded.reason, 'not ok: devices › disks › sda')
  t.strictSame(folded.checks, [
    { state: 'not-ok', text: 'sda', path: ['devices', 'disks'], diagnostics: 'sda: read 7, wanted 8' },
    { state: 'ok', text: 'sdb', path: ['devices', 'disks'] },
    { state: 'skip', text: 'cards (no card)', path: ['devices'] },
    { state: 'ok', text: 'clocks', path: [] },
  ])
})

t.test('what kselftest prints: TAP 13, with results of each program in comments', async t => {
  const folded = fold(
    `TAP version 13
1..4
# selftests: timers: posix_timers
# TAP version 13
# 1..2
# ok 1 check itimer
# ok 2 check timer_create
ok 1 selftests: timers: posix_timers
# selftests: timers: rtcpie
ok 2 selftests: timers: rtcpie # SKIP
# selftests: timers: nanosleep
# Bail out! no clock
not ok 3 selftests: timers: nanosleep # exit=1
# selftests: timers: raw_skew
#
not ok 4 selftests: timers: raw_skew # TIMEOUT 45 seconds
`,
    1,
  )
  t.equal(folded.verdict, 'fail')
  t.strictSame(
    folded.checks.map(({ state, text }) => [state, text]),
    [
      ['ok', 'selftests: timers: posix_timers'],
      ['skip', 'selftests: timers: rtcpie'],
      ['not-ok', 'selftests: timers: nanosleep (exit=1)'],
      ['not-ok', 'selftests: timers: raw_skew (TIMEOUT 45 seconds)'],
    ],
  )
  t.match(folded.checks[2]?.diagnostics, /no clock/)
})

t.test('what KUnit prints: four columns a level, a Subtest line', async t => {
  const modern = 'KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    1..1\n    ok 1 a\nok 1 s\n'
  const older = 'TAP version 14\n1..1\n    # Subtest: s\n    1..1\n    ok 1 - a\nok 1 - s\n'
  for (const stdout of [modern, older]) {
    const folded = fold(stdout)
    t.equal(folded.verdict, 'pass')
    t.strictSame(folded.checks, [{ state: 'ok', text: 'a', path: ['s'] }])
  }
})

const rows: readonly [
  rule: string,
  stdout: string,
  verdict: Folded['verdict'],
  reason: RegExp,
  code?: number,
][] = [
  ['all ok', 'KTAP version 1\n1..1\nok 1 a\n', 'pass', /^$/],
  ['all ok, kernel messages between', 'KTAP version 1\n1..1\n[  1.0] usb: new\nok 1 a\n', 'pass', /^$/],
  ['data after a hash', 'KTAP version 1\n1..1\nok 1 check return code # rcode=0\n', 'pass', /^$/],
  ['an ok beside an XFAIL', 'KTAP version 1\n1..2\nok 1 a\nnot ok 2 b # XFAIL known\n', 'pass', /^$/],
  [
    'a nested level without a plan',
    'KTAP version 1\n1..1\n  KTAP version 1\n  ok 1 a\nok 1 s\n',
    'pass',
    /^$/,
  ],
  ['all ok, status 1', 'KTAP version 1\n1..1\nok 1 a\n', 'fail', /exit status was 1/, 1],
  [
    'a failure that its parent denies',
    'KTAP version 1\n1..1\n  KTAP version 1\n  not ok 1 a\nok 1 s\n',
    'fail',
    /s › a/,
  ],
  ['a failure, then cut', 'KTAP version 1\n1..2\nnot ok 1 a\nok', 'fail', /a/],
  ['a failure at a strange indentation', 'KTAP version 1\n1..1\n   not ok 1 a\nok 1 b\n', 'fail', /a/],
  ['ERROR', 'KTAP version 1\n1..1\nnot ok 1 a # ERROR no memory\n', 'fail', /no memory/],
  ['skip all', 'TAP version 13\n1..0 # SKIP no root\n', 'skip', /^no root$/],
  ['skip all, status 4', 'TAP version 13\n1..0 # SKIP no root\n', 'skip', /^no root$/, 4],
  ['skip all, status 1', 'TAP version 13\n1..0 # SKIP no root\n', 'error', /clean end/, 1],
  ['not ok with SKIP', 'KTAP version 1\n1..1\nnot ok 1 a # SKIP no card\n', 'skip', /^no card$/],
  ['XFAIL alone', 'KTAP version 1\n1..1\nok 1 a # XFAIL known\n', 'error', /no check was executed/],
  ['nothing', '', 'error', /no version line/],
  ['no version line', '1..1\nok 1 a\n', 'error', /no version line/],
  ['an unknown version', 'KTAP version 2\n1..1\nok 1 a\n', 'error', /unknown: KTAP version 2/],
  ['no plan', 'KTAP version 1\nok 1 a\n', 'error', /no plan/],
  ['two plans', 'KTAP version 1\n1..1\n1..1\nok 1 a\n', 'error', /second plan/],
  ['a nested plan on its own', 'KTAP version 1\n1..1\n  1..1\nok 1 a\n', 'error', /plan without a version/],
  ['too few', 'KTAP version 1\n1..2\nok 1 a\n', 'error', /2 checks were planned, 1/],
  [
    'too few below',
    'KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 a\nok 1 s\n',
    'error',
    /"s": 2 checks/,
  ],
  ['the wrong order', 'KTAP version 1\n1..2\nok 2 b\nok 1 a\n', 'error', /check 2/],
  [
    'a second document within the first',
    'KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 a\n  KTAP version 1\n  1..1\n  ok 1 a\nok 1 s\n',
    'error',
    /second document within/,
  ],
  [
    'ok although the program that is quoted bailed out',
    'TAP version 13\n1..1\n# Bail out! no clock\nok 1 selftests: timers: nanosleep\n',
    'error',
    /bailed out/,
  ],
  [
    'a failure in a comment of no result',
    'TAP version 13\n1..1\nok 1 selftests: a: b\n# not ok 1 late\n',
    'fail',
    /late/,
  ],
  [
    'a level that is not closed',
    'KTAP version 1\n1..1\nok 1 s\n  KTAP version 1\n  1..1\n  ok 1 a\n',
    'error',
    /their parent/,
  ],
  [
    'two levels closed at once',
    'KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n    KTAP version 1\n    1..1\n    ok 1 a\nok 1 s\n',
    'error',
    /their parent/,
  ],
  ['a point without a number', 'KTAP version 1\n1..1\nok a\n', 'error', /out of place/],
  ['ok that timed out', 'KTAP version 1\n1..1\nok 1 a # TIMEOUT 45 seconds\n', 'error', /timed out/],
  ['the last line cut', 'KTAP version 1\n1..1\nok 1 a', 'error', /cut/],
  ['bail out', 'KTAP version 1\n1..1\nok 1 a\nBail out! no memory\n', 'error', /no memory/],
  [
    'nested too deep',
    `KTAP version 1\n1..1\n${Array.from({ length: 40 }, (_, n) => `${' '.repeat(n + 1)}KTAP version 1\n`).join('')}ok 1 a\n`,
    'error',
    /./,
  ],
]

for (const [rule, stdout, verdict, reason, code] of rows) {
  t.test(`${rule}: ${verdict}`, async t => {
    t.match(fold(stdout, code), { verdict, reason })
  })
}

t.test('a lost status is not a pass', async t => {
  const folded = foldKtap({
    stdout: 'KTAP version 1\n1..1\nok 1 a\n',
    exit: { kind: 'lost' },
    truncated: false,
  })
  t.match(folded, { verdict: 'error', cause: 'unknown' })
})

t.test('a failure that kselftest quotes below a result that is ok is a failed check', async t => {
  const quoted = (failure: string, parent = 'ok 1 selftests: timers: posix_timers'): Folded =>
    fold(
      `TAP version 13\n1..1\n# selftests: timers: posix_timers\n# TAP version 13\n# 1..2\n# ok 1 a\n${failure}\n${parent}\n`,
    )
  t.match(quoted('# not ok 2 check timer_create'), {
    verdict: 'fail',
    reason: 'not ok: selftests: timers: posix_timers › check timer_create',
    counts: { notOk: 1 },
  })
  t.match(quoted('# # not ok 2 deeper'), { verdict: 'fail' })
  t.match(quoted('#     not ok 2 indented'), { verdict: 'fail' })
  t.match(quoted('# not ok 2 x # todoist.com does not answer'), { verdict: 'fail' })
  t.match(quoted('# not ok 2 x', 'not ok 1 selftests: timers: posix_timers # exit=1'), { verdict: 'fail' })
  t.match(quoted('# not ok 2 x # SKIP no clock'), { verdict: 'pass' })
  t.match(quoted('# not ok 2 x # XFAIL known'), { verdict: 'pass' })
  t.match(quoted('# this is not ok 2 be read'), { verdict: 'pass' })
  t.match(quoted('# not ok, trying again'), { verdict: 'pass' })
})

t.test('documents may follow each other, each whole by itself', async t => {
  const whole = 'TAP version 13\n1..2\nok 1 a\nok 2 b\n'
  const others: readonly [what: string, document: string, verdict: string, reason: RegExp][] = [
    ['another', 'KTAP version 1\n1..1\nok 1 c\n', 'pass', /^$/],
    ['one that is skipped', 'TAP version 13\n1..0 # SKIP no root\n', 'pass', /^$/],
    ['a failure', 'TAP version 13\n1..1\nnot ok 1 c\n', 'fail', /document 2 › c/],
    ['one without a plan', 'TAP version 13\nok 1 c\n', 'error', /"document 2": there is no plan/],
    ['one that is cut', 'TAP version 13\n1..2\nok 1 c\n', 'error', /"document 2": 2 checks were planned/],
    ['one that is empty', 'TAP version 13\n', 'error', /"document 2"/],
    ['one of an unknown version', 'KTAP version 7\n1..1\nok 1 c\n', 'error', /unknown/],
    ['none of anything', 'TAP version 13\n1..0\n', 'error', /no reason/],
  ]
  for (const [what, document, verdict, reason] of others) {
    t.match(fold(whole + document), { verdict, reason }, what)
    const swapped = /document 2/.test(String(reason)) ? /document 1/ : reason
    t.match(fold(document + whole), { verdict, reason: swapped }, `${what}, before`)
  }
  t.match(fold(whole.repeat(3)).counts, { ok: 6 })
})

/** What stands before a line in the kernel's log, and in what reads it. */
const prefixes: readonly [name: string, of: (line: number) => string][] = [
  ['printk', n => `[${`${n}.06${n}000`.padStart(12)}] `],
  ['printk past a power of ten', n => `[${`${96 + n * 3}.060000`.padStart(12)}] `],
  ['a raw level', n => `<6>[    ${n}.060000] `],
  ['the caller', n => `[    ${n}.060000][    T1] `],
  ['dmesg -T', n => `[Mon Nov 30 14:00:0${n} 2026] `],
  ['dmesg -x', n => `kern  :info  : [    ${n}.060000] `],
  ['dmesg -d', n => `[    ${n}.060000 <    0.000012>] `],
  ['syslog', n => `Nov 30 14:00:0${n} guest kernel: [    ${n}.060000] `],
  ['journalctl -k', n => `Nov 30 14:00:0${n} guest kernel: `],
  ['ISO time', n => `2026-11-30T14:00:0${n}+0000 guest kernel: `],
  ['a name', () => 'guest-1: '],
  ['a mark', () => '| '],
]

t.test('KTAP is read behind the prefixes of a log, and its failures too', async t => {
  const lines = ['KTAP version 1', '1..2', '  KTAP version 1', '  1..1', '  ok 1 a', 'ok 1 s', 'ok 2 b']
  for (const [name, of] of prefixes) {
    const print = (lines: readonly string[]): string => lines.map((line, n) => `${of(n)}${line}\n`).join('')
    t.match(fold(print(lines)), { verdict: 'pass', counts: { ok: 2 } }, name)
    t.match(
      fold(print(lines.with(4, '  not ok 1 a'))),
      { verdict: 'fail', reason: /s › a/ },
      `${name}, a failure`,
    )
    t.match(fold(print(lines.toSpliced(5, 1))), { verdict: 'error' }, `${name}, a line lost`)
    const mixed = `${print(lines)}not ok 3 c\n`
    t.match(fold(mixed), { verdict: 'fail' }, `${name}, a failure without the prefix`)
    const among = print([lines[0] ?? '', 'usb 1-1: new device', ...lines.slice(1)])
    t.match(fold(among), { verdict: 'pass' }, `${name}, among messages`)
    t.match(
      fold(`TAP version 13\n1..1\nok 1 z\n${print(lines)}`),
      { verdict: 'pass' },
      `${name}, after another`,
    )
  }
})

t.test('a prefix of comments is none', async t => {
  t.match(fold('# TAP version 13\n# 1..1\n# ok 1 a\n'), { verdict: 'error' })
  t.match(fold('we print KTAP version 1\n1..1\nok 1 a\n'), { verdict: 'error', reason: /no version line/ })
})

t.test('logs of documents in any order are judged as each of them alone', async t => {
  const name = fc.stringMatching(/^[a-z][a-z_:]{0,12}$/)
  const document = fc
    .record({
      version: fc.constantFrom('KTAP version 1', 'TAP version 13', 'TAP version 14'),
      results: fc.array(fc.tuple(fc.constantFrom('ok', 'ok', 'ok', 'not ok'), name), {
        minLength: 1,
        maxLength: 5,
      }),
      quoted: fc.constantFrom('', '', '# not ok 7 quoted', '# ok 7 quoted', '# a log line'),
    })
    .map(({ version, results, quoted }) => [
      version,
      `1..${results.length}`,
      ...(quoted === '' ? [] : [quoted]),
      ...results.map(([ok, name], at) => `${ok} ${at + 1} ${name}`),
    ])
  const log = fc.array(
    fc.tuple(
      document,
      fc.constantFrom(...prefixes.map(([, of]) => of), () => ''),
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  fc.assert(
    fc.property(log, documents => {
      const stdout = documents.flatMap(([lines, of]) => lines.map((line, n) => `${of(n)}${line}\n`)).join('')
      const isFailed = documents.some(([lines]) => lines.some(line => /^(?:# )?not ok/.test(line)))
      return fold(stdout).verdict === (isFailed ? 'fail' : 'pass')
    }),
    { seed: 20_091_007, numRuns: 1000 },
  )
  t.pass('for every log')
})
