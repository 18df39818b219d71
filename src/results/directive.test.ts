import fc from 'fast-check'
import t from 'tap'
import { readDirective } from './directive.js'
import { foldScript } from './index.js'
import { parseTap } from './tap.js'

const settings = { seed: 20_091_007, numRuns: 2000 }

/** What follows `# ` and is a directive, with its kind and reason. */
const directives: readonly [text: string, kind: string, reason: string][] = [
  ['TODO', 'todo', ''],
  ['todo', 'todo', ''],
  ['ToDo later', 'todo', 'later'],
  ['TODO bend space and time', 'todo', 'bend space and time'],
  ['TODO: later', 'todo', 'later'],
  ['TODO - later', 'todo', '- later'],
  ['TODO, later', 'todo', 'later'],
  ['TODO(bug 12) later', 'todo', '(bug 12) later'],
  ['TODO!', 'todo', ''],
  ['SKIP', 'skip', ''],
  ['SkIp no disk', 'skip', 'no disk'],
  ['Skipped', 'skip', ''],
  ['Skipped: only on windows', 'skip', 'only on windows'],
  ['skip: no disk', 'skip', 'no disk'],
]

/** What follows `# ` and is text. */
const texts = [
  'todoist.com does not answer',
  'TODOs are left',
  'todo.example.com does not answer',
  'TODO.txt is missing',
  'todo_list is empty',
  'todo-app does not start',
  'todoö',
  'todo1',
  'skipping the slow part',
  'skipper is not on board',
  'skip.example.com does not answer',
  'not TODO',
  'later TODO',
  '2 # TODO x',
  '',
]

t.test('TODO and SKIP are directives where their word ends', async t => {
  for (const [text, kind, reason] of directives) t.same(readDirective(text, 'tap'), { kind, reason }, text)
  for (const text of texts) t.equal(readDirective(text, 'tap'), null, text || 'nothing')
})

t.test(
  'a failed check with a text that only looks like a directive has failed, in both protocols',
  async t => {
    for (const text of texts) {
      for (const [protocol, version] of [
        ['tap', 'TAP version 14'],
        ['ktap', 'KTAP version 1'],
      ] as const) {
        const stdout = `${version}\n1..2\nok 1 a\nnot ok 2 - x # ${text}\n`
        const { verdict } = foldScript(protocol, {
          stdout,
          exit: { kind: 'code', code: 0 },
          truncated: false,
        })
        t.equal(verdict, 'fail', `${protocol}: # ${text}`)
      }
    }
  },
)

t.test('the examples of the TAP 14 specification', async t => {
  const { points } = parseTap(
    [
      'TAP version 14',
      'ok 1 - hello # todo',
      'ok 2 - hello \\# todo',
      'ok 3 - hello # todo hash \\# character',
      'ok 4 - hello # todo hash # character',
      'ok 5 - hello \\\\# todo hash \\# character',
      'ok 6 - hello \\\\# todo hash # character',
      'ok 7 - hello # description # todo',
      'ok 8 - hello \\\\\\\\\\\\\\# todo',
      'ok 9 - must be skipped test # SKIP',
      'ok 10 - must not be skipped test \\# SKIP',
      'ok 11 - do it later # Skipped',
      'ok 12 - works on windows # Skipped: only run on windows',
      'ok 13 # skip this test is skipped',
      'ok 14 not skipped: https://example.com/page.html#skip is a url',
      'ok 15 - #SkIp case insensitive, so this is skipped',
      '1..15',
      '',
    ].join('\n'),
  )
  t.same(
    points.map(({ text, directive, reason }) => [text, directive, reason]),
    [
      ['hello', 'todo', ''],
      ['hello # todo', null, ''],
      ['hello', 'todo', 'hash # character'],
      ['hello', 'todo', 'hash # character'],
      ['hello \\', 'todo', 'hash # character'],
      ['hello \\', 'todo', 'hash # character'],
      ['hello # description # todo', null, ''],
      ['hello \\\\\\# todo', null, ''],
      ['must be skipped test', 'skip', ''],
      ['must not be skipped test # SKIP', null, ''],
      ['do it later', 'skip', ''],
      ['works on windows', 'skip', 'only run on windows'],
      ['', 'skip', 'this test is skipped'],
      ['not skipped: https://example.com/page.html#skip is a url', null, ''],
      ['', 'skip', 'case insensitive, so this is skipped'],
    ],
  )
})

t.test('a plan of none gives its comment as the reason, whatever it is', async t => {
  for (const [plan, verdict, reason] of [
    ['1..0 # SKIP no disk', 'skip', 'no disk'],
    ['1..0 # Skipped: no disk', 'skip', 'no disk'],
    ["1..0 # skip because English-to-French translator isn't installed", 'skip', /^because English/],
    ['1..0 # WWW::Mechanize not installed', 'skip', 'WWW::Mechanize not installed'],
    ['1..0 # TODO later', 'error', /no reason/],
    ['1..0', 'error', /no reason/],
  ] as const) {
    const ended = { stdout: `${plan}\n`, exit: { kind: 'code', code: 0 }, truncated: false } as const
    t.match(foldScript('tap', ended), { verdict, reason }, plan)
  }
})

t.test('a failed check is forgiven only where a directive stands behind its first free hash', async t => {
  const word = fc.constantFrom('todo', 'TODO', 'Skip', 'SKIP', 'todoist', 'skipping', 'TODO:', 'later', 'x#y')
  const gap = fc.constantFrom(' ', '', '  ', '.', ' \\', ' # ', '#', ' #', '-', '\\\\ ')
  const text = fc
    .array(fc.tuple(gap, word), { minLength: 1, maxLength: 5 })
    .map(parts => parts.flat().join(''))
  /** Said without the parser: the directive of a line, by the regular expression of the specification, made strict. */
  const isForgiven = (line: string): boolean => {
    const unescaped = line.replace(/\\[\\#]/g, pair => (pair === '\\\\' ? '\u0001' : '\u0002'))
    const first = /(?:^|\s|\u0001)#(.*)$/.exec(unescaped)?.[1] ?? ''
    return /^\s*(?:todo|skip(?:ped)?)(?:$|\s|:|[^\w\s]+(?:\s|$))/i.test(first)
  }
  fc.assert(
    fc.property(text, text => {
      const { points } = parseTap(`1..1\nnot ok 1 - ${text}\n`)
      return (points[0]?.directive !== null) === isForgiven(text)
    }),
    settings,
  )
  t.pass('for every text')
})
