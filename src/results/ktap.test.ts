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
    'a second document',
    'KTAP version 1\n1..1\nok 1 a\nKTAP version 1\n1..1\nok 1 a\n',
    'error',
    /second document/,
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

t.test('a lost status is no pass', async t => {
  const folded = foldKtap({
    stdout: 'KTAP version 1\n1..1\nok 1 a\n',
    exit: { kind: 'lost' },
    truncated: false,
  })
  t.match(folded, { verdict: 'error', cause: 'unknown' })
})
