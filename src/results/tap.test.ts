import t from 'tap'
import type { Folded } from './folded.js'
import { foldTap } from './tap.js'

function fold(stdout: string): Folded {
  return foldTap({ stdout, exit: { kind: 'code', code: 0 }, truncated: false })
}

t.test('checks carry their state, text, path and diagnostics', async t => {
  const { checks, counts } = fold(`TAP version 14
# Subtest: disks
    ok 1 - sda \\# root
      ---
      size: 1
      ...
    not ok 2 - sdb
      ---
      got: "a: !!js/function b"
      wanted: |
        ok 3 - not a point
      ...
    not ok 3 - sdc # TODO broken by design
    ok 4 # SKIP no such disk
    1..4
not ok 1 - disks
1..1
`)
  t.strictSame(checks, [
    { state: 'ok', text: 'sda # root', path: ['disks'], diagnostics: 'size: 1' },
    {
      state: 'not-ok',
      text: 'sdb',
      path: ['disks'],
      diagnostics: 'got: "a: !!js/function b"\nwanted: |\n  ok 3 - not a point',
    },
    { state: 'todo', text: 'sdc (broken by design)', path: ['disks'] },
    { state: 'skip', text: '(no such disk)', path: ['disks'] },
  ])
  t.strictSame(counts, { ok: 1, notOk: 1, todo: 1, skip: 1 })
})

t.test('comments after a failed point are its diagnostics', async t => {
  const { checks } = fold('1..2\nnot ok 1 - a\n# got 1\n# wanted 2\nok 2 - b\n# fine\n')
  t.equal(checks[0]?.diagnostics, 'got 1\nwanted 2')
  t.notOk(checks[1]?.diagnostics)
})

t.test('measures and facts are read from comments', async t => {
  const { measures, facts } = fold(
    [
      '# measure: drift=-1.5 ppm',
      '# measure: reads=12 count',
      '# measure: nonsense=abc s',
      '# measure: huge=1e999 s',
      '# measure: nounit=1',
      '#   measure: quoted=1 s',
      '# fact: kernel=6.1.0 # signed',
      '# measure: __proto__=1 s',
      '1..1\nok 1\n',
    ].join('\n'),
  )
  t.strictSame({ ...measures }, { drift: { value: -1.5, unit: 'ppm' }, reads: { value: 12, unit: 'count' } })
  t.strictSame({ ...facts }, { kernel: '6.1.0 # signed' })
})

t.test('long texts and diagnostics are cut, and say so', async t => {
  const { checks } = fold(`1..1\nnot ok 1 - ${'x'.repeat(5000)}\n  ---\n  ${'y'.repeat(50_000)}\n  ...\n`)
  t.match(checks[0]?.text, /^x{500}… \(4500 more characters\)$/)
  t.match(checks[0]?.diagnostics, /^y{16384}… \(33616 more characters\)$/)
})

t.test('a flood is bounded and never a pass', async t => {
  const cases = {
    points: `1..20000\n${Array.from({ length: 20_000 }, (_, n) => `ok ${n + 1}\n`).join('')}`,
    lines: `1..1\nok 1\n${'x\n'.repeat(300_000)}`,
    nesting: `1..1\n${' '.repeat(400_000)}ok 1\nok 1\n`,
    'a long line': `1..1\nok 1 - ${'x'.repeat(100_000)}\n`,
    'unfinished diagnostics': `1..1\nok 1\n${'  ---\n'.repeat(100_000)}`,
  }
  for (const [name, stdout] of Object.entries(cases)) {
    const { verdict, cause, checks } = fold(stdout)
    t.strictSame({ verdict, cause }, { verdict: 'error', cause: 'test' }, name)
    t.ok(checks.length < 10_010, `${name}: few checks are kept`)
  }
})
