import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import t from 'tap'
import type { CommandResult } from '../../remote/machine.js'
import { decodeOutput } from '../../remote/shells/windows/decode.js'
import { encodedCommand } from '../../remote/shells/windows/powershell-text.js'
import {
  encodedArgs,
  killPwsh,
  pwshVersion,
  runPwsh,
  startPwsh,
  withoutPwsh,
} from '../../remote/shells/windows/pwsh.test.fixture.js'
import { frameScript, judgeScript, type ScriptResult } from './powershell.js'

t.setTimeout(600_000)
const nonce = 'gc0123456789abcdef'
/** A PowerShell takes a core for a second to start. */
const inTurn = pLimit(2)

function decoded(result: CommandResult): CommandResult {
  const text = (bytes: Buffer): string => decodeOutput(bytes, 65001)
  return {
    ...result,
    stdout: { ...result.stdout, text: text(result.stdout.bytes) },
    stderr: { ...result.stderr, text: text(result.stderr.bytes) },
  }
}

type Judged = Partial<Pick<ScriptResult, 'how' | 'errors' | 'succeeded' | 'lastStatus' | 'stdout'>>
const sound = { how: 'ended', errors: 0, succeeded: true } as const
const threw = { how: 'threw', succeeded: false, stdout: '' } as const

const cases: readonly (readonly [what: string, script: string, judged: Judged, onError?: RegExp])[] = [
  // Streams beside output and errors: none is an error, and progress is not shown, though a script asks for it.
  ['progress', "Write-Progress -Activity a -Status b; 'x'", { ...sound, stdout: 'x\n' }, /^$/],
  [
    'progress asked for',
    "$ProgressPreference='Continue'; Write-Progress -Activity a -Status b; 'x'",
    { ...sound, stdout: 'x\n' },
    /^$/,
  ],
  [
    'warnings and talk',
    "Write-Warning 'w'; Write-Host 'h'; Write-Verbose 'v' -Verbose; 'x'",
    { ...sound, stdout: 'WARNING: w\nh\nVERBOSE: v\nx\n' },
    /^$/,
  ],
  ['a line of the host, which is not an error record', "$host.UI.WriteErrorLine('x')", sound, /^x$/],
  // Errors that end a statement end the script, as they do within try; those that end nothing are counted.
  ['a division by zero', "1/0; 'on'", { ...threw, errors: 1 }, /divide by zero/],
  ['a conversion that fails', "[int]'x'; 'on'", threw, /Cannot convert/],
  ['a method of nothing', "$null.Foo(); 'on'", threw, /null-valued/],
  ['a command that is unknown', "NoSuchCommand; 'on'", threw, /NoSuchCommand/],
  ['an error made terminating', "Write-Error 'x' -ErrorAction Stop; 'on'", threw, /^x$/],
  [
    'a terminating error of a function',
    "function f{[CmdletBinding()]param() $PSCmdlet.ThrowTerminatingError((New-Object Management.Automation.ErrorRecord ([Exception]'x'),'i',0,$null))}; f; 'on'",
    threw,
    /^x$/,
  ],
  [
    'made terminating, and caught',
    "try{Get-Item /nope -ErrorAction Stop}catch{'c'}",
    { ...sound, stdout: 'c\n' },
  ],
  [
    'not terminating, so that nothing catches it',
    "try{Write-Error 'x'}catch{'never'}; 'on'",
    { how: 'ended', errors: 1, succeeded: false, stdout: 'on\n' },
    /x/,
  ],
  [
    'one of two things missing',
    "Get-Item /nope,/ | ForEach-Object { $_.Name }; 'on'",
    { errors: 1, succeeded: false, stdout: '/\non\n' },
    /\/nope/,
  ],
  ['an error whose output is dropped', 'Write-Error e | Out-Null', { errors: 1, succeeded: false }],
  ['an error kept in a variable', "$x = Write-Error e 2>&1; 'on'", { ...sound, stdout: 'on\n' }],
  [
    'a trap that goes on to break',
    "trap{'t';break} throw 'x'",
    { how: 'threw', succeeded: false, stdout: 't\n' },
  ],
  // Statuses, of which Linux keeps eight bits.
  ['exit 255', 'exit 255', { how: 'exit', succeeded: false }],
  ['exit -1', 'exit -1', { how: 'exit', succeeded: false }],
  ['exit with our own status', 'exit 217', { how: 'unknown', succeeded: false }],
  ['exit in a block', '& {exit 2}', { how: 'exit', succeeded: false }],
  [
    'a program that was killed',
    "/bin/sh -c 'kill -9 $$'; 'on'",
    { how: 'ended', succeeded: false, stdout: 'on\n' },
  ],
  [
    'a process that ends itself',
    "[Environment]::FailFast('x')",
    { how: 'unknown', errors: null, succeeded: false },
  ],
  // Encodings that a script sets for itself: without our line nothing succeeded.
  [
    'UTF-8 asked for',
    '[Console]::OutputEncoding=[Text.Encoding]::UTF8; [string][char]0x2192',
    { ...sound, stdout: '→\n' },
  ],
  [
    'UTF-16 asked for',
    "[Console]::OutputEncoding=[Text.Encoding]::Unicode; 'x'",
    { how: 'unknown', succeeded: false },
  ],
  // Quoting: the script travels as data, and arrives as it was written.
  [
    'every quotation mark',
    `'a"b' + "c'd" + '\`$x' + "\`"" + "$(1+1)" + '%PATH%^&|<>'`,
    { ...sound, stdout: `a"bc'd\`$x"2%PATH%^&|<>\n` },
  ],
  ['a here-string with CRLF', "@'\r\nit's \"here\" $x\r\n'@", { ...sound, stdout: 'it\'s "here" $x\n' }],
  ['a comment and no line end', "'a'\n# it's", { ...sound, stdout: 'a\n' }],
  ['standard input, which has ended', "[Console]::In.ReadLine(); 'x'", { ...sound, stdout: 'x\n' }],
  ['five megabytes in a line', "'x'*5MB", { ...sound, stdout: `${'x'.repeat(5 * 2 ** 20)}\n` }],
]

t.test(
  `streams, errors, statuses and encodings, by pwsh ${pwshVersion()}`,
  { skip: withoutPwsh },
  async t => {
    await Promise.all(
      cases.map(async ([what, script, judged, onError]) => {
        const result = decoded(
          await inTurn(() => runPwsh(encodedArgs(encodedCommand(frameScript(script, nonce))))),
        )
        const found: Judged = judgeScript(result, nonce)
        for (const [key, value] of Object.entries(judged)) {
          const is = found[key as keyof Judged]
          t.ok(
            is === value,
            `${what}: ${key} is ${JSON.stringify(is ?? null).slice(0, 100)}; ${result.stderr.text.slice(0, 200)}`,
          )
        }
        if (onError) t.match(result.stderr.text.trim(), onError, what)
      }),
    )
  },
)

t.test(
  'output comes while the script runs, and what is cut off or stopped has not succeeded',
  { skip: withoutPwsh },
  async t => {
    const folder = mkdtempSync(join(tmpdir(), 'gc-streams-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'seen')
    const script = `'first'; while(!(Test-Path '${file}')){[Threading.Thread]::Sleep(20)}; 'second'; while($true){[Threading.Thread]::Sleep(20)}`
    const child = startPwsh(encodedArgs(encodedCommand(frameScript(script, nonce))))
    let bytes = Buffer.alloc(0)
    const ended = new Promise<NodeJS.Signals | null>(resolve =>
      child.once('close', (_, signal) => resolve(signal)),
    )
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      if (bytes.includes('first')) writeFileSync(file, '')
      if (bytes.includes('second\n')) killPwsh(child)
    })
    const signal = (await ended) ?? 'none'
    t.equal(signal, 'SIGKILL')
    const text = bytes.toString()
    const empty = { text: '', bytes: Buffer.alloc(0), totalBytes: 0, truncated: false }
    const stopped = {
      exit: { kind: 'signal', signal },
      stdout: { ...empty, text },
      stderr: empty,
      durationMs: 0,
      undrained: false,
    } as const
    t.match(judgeScript(stopped, nonce), { how: 'unknown', succeeded: false, stdout: 'first\nsecond\n' })
    const whole = decoded(await runPwsh(encodedArgs(encodedCommand(frameScript("'a'", nonce)))))
    t.match(judgeScript(whole, nonce), sound)
    for (const at of [nonce.length + 8, whole.stdout.text.length - 24]) {
      const cut = { ...whole, stdout: { ...whole.stdout, text: whole.stdout.text.slice(0, at) } }
      t.match(judgeScript(cut, nonce), { how: 'unknown', succeeded: false }, `cut at ${at}`)
    }
  },
)

t.test(
  'what PowerShell writes as XML is read: texts, errors that are objects, no progress',
  { skip: withoutPwsh },
  async t => {
    const script = `Write-Error '<é&'; Write-Warning 'w'; 'out'; Write-Progress -Activity a -Status b; Write-Error "two\`nlines"`
    const { stdout, stderr } = await runPwsh([
      '-NoLogo',
      '-NoProfile',
      '-NonInteractive',
      '-OutputFormat',
      'XML',
      '-EncodedCommand',
      encodedCommand(script),
    ])
    t.match(stderr.text, /^#< CLIXML/)
    t.match(stderr.text, 'S="progress"')
    t.equal(decodeOutput(stderr.bytes, 437).trim(), '<é&\nwtwo\nlines')
    t.equal(decodeOutput(stdout.bytes, 437).trim(), 'out')
  },
)
