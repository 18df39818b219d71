import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import t from 'tap'
import { packageRoot } from '../../../src/config/package-root.js'
import { wmiClasses } from '../../../src/guests/windows/classes.js'
import { fileReader, frameScript } from '../../../src/guests/windows/powershell.js'
import { commandText } from '../../../src/remote/shells/windows/catalog.js'
import { decodeOutput } from '../../../src/remote/shells/windows/decode.js'
import { encodedCommand, loginLine, loginProbe } from '../../../src/remote/shells/windows/powershell-text.js'
import {
  encodedArgs,
  pwshVersion,
  runPwsh,
  withoutPwsh,
} from '../../../src/remote/shells/windows/pwsh.test.fixture.js'
import { loadWindowsPersona } from '../persona/load.js'
import { personaModules, personasWithPowerShell, stillGuest } from '../still-guest.test.helper.js'

/**
 * The emulated guest recognises these texts and answers from its persona. Here each runs in a real PowerShell, with a
 * module that plays services, logs and WMI from the same persona: both print the same and end with the same status.
 */
t.setTimeout(600_000)
const folder = mkdtempSync(join(tmpdir(), 'gc-texts-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const nonce = 'gc0123456789abcdef'
const codePage = 437
/** A PowerShell takes a core for a second to start. */
const inTurn = pLimit(2)

/** In place of cmd.exe a program that shows how it was started, as the first line has the emulated cmd show it. */
const cmd = `#!/bin/sh
[ "$4" = exit ] && exit "$5"
printf "%sit's%s cmd.exe %s\\r\\n" "$GC_Q" "$GC_Q" "$*"
`
writeFileSync(join(folder, 'cmd.exe'), cmd, { mode: 0o755 })
const lines = ["echo %GC_Q%it''s%GC_Q% %CMDCMDLINE%", 'exit 7'] as const

interface Case {
  readonly script: string
  /** As the persona has it. */
  readonly answer: Readonly<Record<string, unknown>>
}

const kinds: readonly Case[] = [
  { script: "'one'; 'two'", answer: { output: 'one\ntwo\n' } },
  { script: '[string][char]0xe9', answer: { output: 'é\n' } },
  { script: '', answer: {} },
  { script: "[Console]::Write('x')", answer: { output: 'x' } },
  { script: "Write-Error 'e'; 'on'", answer: { output: 'on\n', errors: ['e'] } },
  { script: "Write-Error 'e'; Write-Error 'f'", answer: { errors: ['e', 'f'] } },
  { script: "'a'; throw 'boom'", answer: { output: 'a\n', errors: ['boom'], ends: 'throw' } },
  { script: "'a'; exit 0", answer: { output: 'a\n', ends: 'exit' } },
  { script: 'exit 3', answer: { ends: 'exit', status: 3 } },
  { script: "/bin/sh -c 'exit 5'", answer: { status: 5 } },
]

/** Writes a persona that answers scripts, over another. */
function withAnswers(base: string, cases: readonly Case[]): string {
  const name = `${base}-with-answers`
  const list = cases.map(({ script, answer }) => ({ script, ...answer }))
  const persona = {
    persona: name,
    kind: 'guest',
    family: 'windows',
    title: 'T',
    extends: base,
    answers: [{ from: 'assumed', list }],
  }
  writeFileSync(join(folder, `${name}.yaml`), JSON.stringify(persona))
  return name
}

const personas = personasWithPowerShell()

for (const name of personas) {
  t.test(
    `${name}: texts are answered as pwsh ${pwshVersion()} answers them`,
    { skip: withoutPwsh },
    async t => {
      const { os, ...facts } = loadWindowsPersona(name, ['fixtures/personas'])
      const asked: readonly Case[] = [
        {
          script:
            "(Get-CimInstance -Query 'SELECT Caption FROM Win32_OperatingSystem').Caption; (Get-Service EventLog).Status; Get-WinEvent System -MaxEvents 1|ForEach-Object{$_.Id}",
          answer: { output: `${os.caption}\nRunning\n6013\n` },
        },
        ...(name === personas[0] ? kinds : []),
      ]
      const guest = stillGuest(withAnswers(name, asked), { more: [folder] })
      const data = join(folder, `${name}.json`)
      writeFileSync(data, JSON.stringify(await guest.describe()))
      const env = {
        PSModulePath: personaModules,
        GC_PERSONA: data,
        PATH: `${folder}:${process.env.PATH ?? ''}`,
      }
      const file = `gc-${name}.txt`
      const script = frameScript(asked[0]?.script ?? '', nonce)
      writeFileSync(join(folder, file), script)
      guest.system.files.write(`C:\\${file}`, Buffer.from(script))
      const texts: readonly (readonly [what: string, emulated: string, real?: string])[] = [
        ...asked.map(({ script }) => [script, frameScript(script, nonce)] as const),
        ['the reader of a file', fileReader(`C:\\${file}`), fileReader(join(folder, file))],
        ['the probe of a login shell', loginProbe],
        ...lines.map(line => [line, loginLine.replace('{LINE-QUOTED}', line)] as const),
      ]
      const { version } = facts.powershell ?? {}
      await Promise.all(
        texts.map(async ([what, emulated, real = emulated]) => {
          const [ours, theirs] = await Promise.all([
            guest.run(commandText('powershell-script', { SCRIPT: encodedCommand(emulated) })),
            inTurn(() => runPwsh(encodedArgs(encodedCommand(real)), { env })),
          ])
          const printed = decodeOutput(theirs.stdout.bytes, 65001).replace(
            /^\/.*$/m,
            `${os.systemRoot}\\System32\\WindowsPowerShell\\v1.0`,
          )
          const about = `${what} (${version ?? ''}): ${theirs.stderr.text}`
          t.equal(decodeOutput(ours.stdout, codePage), printed, about)
          t.strictSame({ kind: 'code', code: ours.code }, theirs.exit, about)
          // What a version wraps around the text of an error is its own.
          for (const said of decodeOutput(ours.stderr, codePage).trim().split('\n')) {
            t.ok(decodeOutput(theirs.stderr.bytes, 65001).includes(said), `${about}: ${said}`)
          }
        }),
      )
    },
  )
}

t.test(
  'what a real Windows says of itself is recorded, with what it lacks',
  { skip: withoutPwsh },
  async t => {
    const [data, output] = [join(folder, 'recorded.json'), join(folder, 'record.json')]
    const guest = stillGuest('windows-2022')
    writeFileSync(data, JSON.stringify(await guest.describe()))
    const script = join(packageRoot, 'fixtures/powershell/record.ps1')
    const page = join(packageRoot, 'docs/windows-commands.md')
    const { stderr, exit } = await runPwsh(
      ['-NoProfile', '-File', script, '-Page', page, '-Output', output],
      {
        env: { PSModulePath: personaModules, GC_PERSONA: data, PATH: `${folder}:${process.env.PATH ?? ''}` },
      },
    )
    t.strictSame([exit, stderr.text], [{ kind: 'code', code: 0 }, ''])
    const record = JSON.parse(readFileSync(output, 'utf8').replace(/^\ufeff/, ''))
    t.strictSame(Object.keys(record.classes), Object.keys(wmiClasses))
    t.equal(record.classes.Win32_OperatingSystem.answer[0].BuildNumber, '20348')
    t.equal(record.classes.Win32_WindowsProductActivation.error, 'Invalid class ')
    t.match(record.registry['HKU\\S-1-5-19'].answer[0], 'reg query')
    t.match(record.commands.ver.answer[0], '/d /c ver')
  },
)
