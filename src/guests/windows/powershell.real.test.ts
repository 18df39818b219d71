import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import t from 'tap'
import { commandText } from '../../remote/shells/windows/catalog.js'
import { decodeOutput } from '../../remote/shells/windows/decode.js'
import { parseLoginProbe } from '../../remote/shells/windows/login.js'
import { encodedCommand, loginProbe } from '../../remote/shells/windows/powershell-text.js'
import {
  encodedArgs,
  pwshVersion,
  runPwsh,
  withoutPwsh,
} from '../../remote/shells/windows/pwsh.test.fixture.js'
import { quoteForPowerShell } from '../../remote/shells/windows/quote.js'
import { fileReader, frameScript, judgeScript, type ScriptResult } from './powershell.js'

t.setTimeout(1_200_000)
const nonce = 'gc0123456789abcdef'
/** A PowerShell takes a core for a second to start. */
const inTurn = pLimit(2)

async function run(script: string): Promise<ScriptResult> {
  const result = await inTurn(() => runPwsh(encodedArgs(encodedCommand(frameScript(script, nonce)))))
  const text = (bytes: Buffer): string => decodeOutput(bytes, 65001)
  return judgeScript(
    {
      ...result,
      stdout: { ...result.stdout, text: text(result.stdout.bytes) },
      stderr: { ...result.stderr, text: text(result.stderr.bytes) },
    },
    nonce,
  )
}

type Judged = Partial<Pick<ScriptResult, 'how' | 'errors' | 'succeeded' | 'lastStatus' | 'stdout'>>
const missing = 'Get-Item /nonexistent'
const cases: readonly (readonly [what: string, script: string, judged: Judged])[] = [
  ['sound', "'hello'", { how: 'ended', errors: 0, succeeded: true, stdout: 'hello\n' }],
  ['empty', '', { how: 'ended', succeeded: true, stdout: '' }],
  ['a byte order mark', "\ufeff'a'", { how: 'ended', succeeded: true, stdout: 'a\n' }],
  ['not ASCII', "'ä→' -eq [string][char]228+[char]0x2192", { succeeded: true, stdout: 'True\n' }],
  ['no line end before our line', "[Console]::Write('x')", { how: 'ended', succeeded: true, stdout: 'x' }],
  ['an error, and no line end', `${missing}; Write-Host -NoNewline 'x'`, { errors: 1, succeeded: false }],
  [
    'an error that was silenced',
    `${missing} -ErrorAction SilentlyContinue; 'fine'`,
    { errors: 0, succeeded: true },
  ],
  ['an error that was ignored', `${missing} -ErrorAction Ignore`, { errors: 0, succeeded: true }],
  [
    'errors silenced by preference',
    `$ErrorActionPreference='SilentlyContinue'; ${missing}`,
    { errors: 0, succeeded: true },
  ],
  ['an error redirected to nothing', `${missing} 2>$null`, { errors: 0, succeeded: true }],
  ['an error that was caught', "try { throw 'x' } catch { 'handled' }", { errors: 0, succeeded: true }],
  ['an error that was trapped', "trap { continue } throw 'x'; 'on'", { errors: 0, succeeded: true }],
  [
    'an error in a function',
    "function f { Write-Error 'e' } f; 'on'",
    { how: 'ended', errors: 1, succeeded: false, stdout: 'on\n' },
  ],
  ['two errors', "Write-Error 'a'; Write-Error 'b'", { how: 'ended', errors: 2, succeeded: false }],
  [
    'an error under Stop',
    `$ErrorActionPreference='Stop'; ${missing}; 'never'`,
    { how: 'threw', succeeded: false, stdout: '' },
  ],
  ['strict mode', 'Set-StrictMode -Version Latest; $none', { how: 'threw', succeeded: false }],
  ['strict mode, sound', "Set-StrictMode -Version Latest; 'a'", { how: 'ended', succeeded: true }],
  ['thrown', "throw 'boom'", { how: 'threw', succeeded: false }],
  ['no PowerShell', 'if (', { how: 'threw', succeeded: false }],
  ['exit 0', 'exit 0', { how: 'exit', succeeded: true }],
  ['exit alone', "'a'; exit", { how: 'exit', succeeded: true, stdout: 'a\n' }],
  ['exit 3', 'exit 3', { how: 'exit', succeeded: false }],
  ['exit in a function', 'function f { exit 4 } f', { how: 'exit', succeeded: false }],
  ['return', "'a'; return; throw 'x'", { how: 'ended', succeeded: true, stdout: 'a\n' }],
  ['break', "'a'; break; throw 'never reached'", { how: 'unknown', succeeded: false }],
  ['continue', "continue; throw 'never reached'", { how: 'unknown', succeeded: false }],
  [
    'break to a label that is not there',
    "while (1) { break nowhere }; throw 'never'",
    { how: 'unknown', succeeded: false },
  ],
  [
    '$host.SetShouldExit(0), and break',
    '$host.SetShouldExit(0); break',
    { how: 'unknown', succeeded: false },
  ],
  ['$host.SetShouldExit(3)', '$host.SetShouldExit(3)', { succeeded: false }],
  ['[Environment]::Exit(0)', '[Environment]::Exit(0)', { how: 'unknown', errors: null, succeeded: false }],
  ['killed', '[Diagnostics.Process]::GetCurrentProcess().Kill()', { how: 'unknown', succeeded: false }],
  [
    'standard output replaced',
    '[Console]::SetOut([IO.TextWriter]::Null)',
    { how: 'unknown', succeeded: false },
  ],
  ['our variables gone', 'Remove-Variable gc*', { succeeded: false }],
  [
    'a program that failed',
    "/bin/sh -c 'exit 5'",
    { how: 'ended', errors: 0, lastStatus: 5, succeeded: false },
  ],
  [
    'a program that wrote to standard error',
    "/bin/sh -c 'echo x >&2'",
    { how: 'ended', errors: 0, lastStatus: 0, succeeded: true },
  ],
]

t.test(`how a script ends, by pwsh ${pwshVersion()}`, { skip: withoutPwsh }, async t => {
  await Promise.all(
    cases.map(async ([what, script, judged]) => {
      const { result, ...found } = await run(script)
      t.match(
        found,
        judged,
        `${what}: ${JSON.stringify([result.exit, result.stdout.text, result.stderr.text])}`,
      )
    }),
  )
})

t.test(
  'what a script writes as an error, and what its programs do, stands on standard error',
  { skip: withoutPwsh },
  async t => {
    const { result } = await run(
      "Write-Error 'one'; /bin/sh -c 'echo two >&2'; [Console]::Error.WriteLine('three'); throw 'four'",
    )
    t.match(result.stderr.text, /one[\s\S]*two[\s\S]*three[\s\S]*four/)
    t.notMatch(result.stdout.text, /one|two|three|four/)
  },
)

t.test('a script in a file', { skip: withoutPwsh }, async t => {
  const folder = mkdtempSync(join(tmpdir(), "gc it's "))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'gc.txt')
  writeFileSync(file, frameScript("'from a file'; exit 6", nonce))
  const result = await runPwsh(encodedArgs(encodedCommand(fileReader(file))))
  t.match(judgeScript(result, nonce), { how: 'exit', succeeded: false, stdout: 'from a file\n' })
  t.strictSame(result.exit, { kind: 'code', code: 6 })
})

/** What may stand in the profile of a login shell PowerShell. */
const profiles = [
  '',
  'Set-StrictMode -Version Latest',
  "$ErrorActionPreference='Stop'; Set-StrictMode -Version Latest; [int]$i=0; [int]$p=0",
  "Write-Output 'noise'; Write-Error 'noise'",
]
for (const profile of profiles) {
  t.test(`the texts for a login shell, with the profile "${profile}"`, { skip: withoutPwsh }, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'gc-login-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    // In place of cmd.exe a program that shows what it was given.
    writeFileSync(join(folder, 'cmd.exe'), '#!/bin/sh\nprintf "%s|" "$GC_Q" "$@"\nexit 7\n', { mode: 0o755 })
    const env = { PATH: `${folder}:${process.env.PATH ?? ''}` }
    const login = (line: string): ReturnType<typeof runPwsh> =>
      runPwsh(['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', `${profile}\n${line}`], { env })
    const probed = await login(loginProbe)
    t.equal(parseLoginProbe(probed.stdout.text), 'powershell', probed.stdout.text + probed.stderr.text)
    const literal = quoteForPowerShell(`echo it's ‘a’ $HOME %A% & %GC_Q%q%GC_Q%`)
    const ran = await login(commandText('in-powershell', { 'LINE-QUOTED': literal.slice(1, -1) }))
    t.strictSame(ran.exit, { kind: 'code', code: 7 })
    t.ok(ran.stdout.text.endsWith('"|/d|/s|/c|echo|it\'s|‘a’|$HOME|%A%|&|%GC_Q%q%GC_Q%|'), ran.stdout.text)
  })
}
