import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { expandPercent, readCmd, readPowerShellLiteral, readRuntime } from './decoders.test.fixture.js'
import { fitsLine, framedLine, longestLine, markCondition } from './line.js'
import { type LoginShell, parseLoginProbe } from './login.js'
import { encodedCommand, lineText } from './powershell-text.js'
import { escapeForCmd, quoteForCmd, quoteForPowerShell } from './quote.js'

/** Names that a careless quoting would let cmd expand, with the forms that it knows. */
const env = { PATH: 'C:\\WINDOWS', A: 'expanded', GC_Q: '"', 'x y': 'expanded' }
const nasty = fc.constantFrom(
  '%PATH%',
  '%A:x=y%',
  '%A:~0,2%',
  '%%',
  '%',
  '"',
  '^',
  '&',
  '|',
  '<',
  '>',
  '\\',
  ' ',
  '!',
  "'",
  'a',
  '(',
  ')',
  ',',
  ';',
  '=',
  'é',
  '‘',
  '%x y%',
  '/',
)
const words = fc.array(nasty, { maxLength: 14 }).map(parts => parts.join(''))

t.test('a text for cmd is read back unchanged, whatever stands in it', async t => {
  fc.assert(
    fc.property(words, words, (word, other) => {
      t.strictSame(readCmd(`set A=${escapeForCmd(word)}&set B=${escapeForCmd(other)}`, env), [
        `set A=${word}`,
        `set B=${other}`,
      ])
    }),
    { numRuns: 2000 },
  )
})

t.test('an argument reaches the program as it is, through cmd and the C runtime', async t => {
  fc.assert(
    fc.property(fc.array(words, { minLength: 1, maxLength: 4 }), list => {
      const commands = readCmd(`tool.exe ${list.map(quoteForCmd).join(' ')}`, env)
      t.equal(commands.length, 1)
      t.strictSame(readRuntime(commands[0] ?? ''), ['tool.exe', ...list])
    }),
    { numRuns: 2000 },
  )
  t.equal(quoteForCmd('C:\\WINDOWS\\Temp'), 'C:\\WINDOWS\\Temp', 'a plain word is left as it is')
  t.equal(quoteForCmd('a b'), '"a b"', 'quotes, where they are enough')
  t.throws(() => quoteForCmd('a\nb'), /line end/)
})

t.test('a literal of PowerShell is read back unchanged', async t => {
  fc.assert(
    fc.property(fc.oneof(words, fc.string()), word => {
      t.strictSame(readPowerShellLiteral(`${quoteForPowerShell(word)}rest`), { value: word, rest: 'rest' })
    }),
    { numRuns: 1000 },
  )
})

const framed = { nonce: 'gc1', end: 'e2', begins: ['plain'] } as const
const framedFor = (login: LoginShell, command: string, word: string): string =>
  framedLine(login, { command, env: { A_B: word }, mark: 'lab/guest', words: framed })
const inner = 'cmd.exe /d /s /c "!GC_L!"&echo gc1e2 !ERRORLEVEL!&exit !ERRORLEVEL!'

t.test('a command and its variables come through cmd and PowerShell unchanged', async t => {
  fc.assert(
    fc.property(words, word => {
      const command = `tool ${quoteForCmd(word)}`
      const settings = ['set GUESTCERT_MARK=lab/guest', 'echo gc1', `set A_B=${word}`]
      const forCmd = framedFor('cmd', command, word)
      t.strictSame(readCmd(forCmd, env), [
        ...settings,
        `set GC_L=${command}`,
        `cmd.exe /d /v:on /s /c "${inner}"`,
      ])
      const forPowerShell = framedFor('powershell', command, word)
      t.notOk(forPowerShell.includes('"'), 'no quote that an SSH server might escape in its own way')
      const [, literal = ''] = /^\$gcLine=(.*)$/s.exec(forPowerShell) ?? []
      const { value, rest } = readPowerShellLiteral(literal)
      t.equal(rest, `;${lineText}`, 'behind it stands the same text always')
      t.equal(expandPercent(value, { GC_Q: '"' }), forCmd)
    }),
    { numRuns: 500 },
  )
})

t.test('bash hands the line on in the environment', async t => {
  // Our own bash stands in for Cygwin's: the quoting is the same, and `cmd.exe` is a script that shows what it got.
  const command = `tool ^%^x'y "a b" ^"q^" $HOME \`id\` \\`
  const fake = 'fake() { printf "%s|%s" "$GC_L" "$*"; }'
  const sent = framedFor('cygwin', command, 'w').replace(' exec cmd.exe', ' fake')
  const shown = execFileSync('/bin/sh', ['-c', `${fake}\n${sent}`], { encoding: 'utf8' })
  const line = `set GUESTCERT_MARK=lab/guest&echo gc1&set A_B=w&${command}`
  const frame = 'cmd.exe /d /s /c !GC_L!&echo gc1e2 !ERRORLEVEL!&exit !ERRORLEVEL!'
  t.equal(shown, `${line}|/d /v:on /s /c ${frame}`)
})

t.test('no line with its frame is longer than cmd reads', async t => {
  const words = { nonce: `gc${'0'.repeat(16)}`, end: `e${'0'.repeat(16)}`, begins: ['plain'] } as const
  for (const piece of ['x', '%', '&', '"a']) {
    let count = 1
    while (fitsLine('cmd', piece.repeat(count + 1), { A: '1' })) {
      count += 1
    }
    const mark = 'm'.repeat(150)
    const line = framedLine('cmd', { command: piece.repeat(count), env: { A: '1' }, mark, words })
    t.ok(line.length <= longestLine && line.length > longestLine - 300, `${piece}: ${line.length}`)
  }
  t.notOk(fitsLine('cmd', 'a\nb', {}))
})

t.test('login shells are told apart', async t => {
  t.equal(parseLoginProbe('gc-shell C:\\WINDOWS\\system32\\cmd.exe $PSHOME $?\r\n'), 'cmd')
  t.equal(
    parseLoginProbe('gc-shell\r\n%ComSpec%\r\nC:\\Windows\\System32\\WindowsPowerShell\\v1.0\r\nTrue\r\n'),
    'powershell',
  )
  t.equal(
    parseLoginProbe('gc-shell\r\n%ComSpec%\r\nC:\\Program Files\\PowerShell\\7\r\nFalse\r\n'),
    'powershell',
  )
  t.equal(parseLoginProbe('gc-shell %ComSpec% 0\n'), 'cygwin')
  t.equal(parseLoginProbe('gc-shell %ComSpec%  127\n'), 'cygwin')
  t.equal(parseLoginProbe('Welcome!\ngc-shell %ComSpec% 0\n'), 'cygwin')
  t.equal(parseLoginProbe('% Invalid input detected'), null)
  t.equal(parseLoginProbe('gc-shell'), null)
})

t.test('PowerShell gets UTF-16LE in base64', async t => {
  t.equal(encodedCommand('exit 3'), 'ZQB4AGkAdAAgADMA')
  fc.assert(
    fc.property(fc.string(), text => {
      t.equal(Buffer.from(encodedCommand(text), 'base64').toString('utf16le'), text)
    }),
  )
})

t.test('a condition for a mark finds those and not itself', async t => {
  const condition = markCondition('lab/guest/0a1b-12', false)
  t.equal(condition, "CommandLine LIKE '%GUESTCERT_MAR[K]=lab/guest/0a1b-12&%'")
  t.notOk(condition.includes('GUESTCERT_MARK='))
  t.match(markCondition('la_b', true), "=la[_]b/%'")
})
