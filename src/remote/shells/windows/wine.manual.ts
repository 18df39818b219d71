import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { CommandResult, Output } from '../../machine.js'
import { batchFile } from './batch-file.js'
import { commandText } from './catalog.js'
import { decodeOutput } from './decode.js'
import { base64Lines } from './files.js'
import { markedLine } from './line.js'
import { lineForLogin } from './login.js'
import { lookLine, parseLook } from './tools.js'
import { parseWmic, wmicQuery } from './wmic.js'

/**
 * Wine's cmd, reg and wmic (Debian's package `wine`) are another reading of Microsoft's, by people who knew the real
 * ones: where they know a command, our lines must do in them what they should, and our parsers read them.
 */
const folder = mkdtempSync(join(tmpdir(), 'guestcert-wine-'))
const limitMs = 120_000
t.setTimeout(2 * limitMs)
const env = {
  PATH: process.env.PATH ?? '',
  HOME: folder,
  WINEPREFIX: join(folder, 'prefix'),
  WINEDEBUG: '-all',
  WINEDLLOVERRIDES: 'mscoree,mshtml=',
}

t.teardown(async () => {
  await wine(['wineboot', '-k'])
  rmSync(folder, { recursive: true, force: true })
})

function wine(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('wine', args, {
      env: { ...env, ...more },
      timeout: limitMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', chunk => out.push(chunk as Buffer))
    child.stderr.on('data', chunk => err.push(chunk as Buffer))
    child.on('error', reject)
    child.on('close', code => {
      const exit = code === null ? ({ kind: 'lost' } as const) : ({ kind: 'code', code } as const)
      resolve({ exit, stdout: output(out), stderr: output(err), durationMs: 0, undrained: false })
    })
  })
}

function output(chunks: readonly Buffer[]): Output {
  const bytes = Buffer.concat(chunks)
  return { text: decodeOutput(bytes, 437), bytes, totalBytes: bytes.length, truncated: false }
}

/** In the environment, as for a login shell Cygwin: Wine, too, writes quotes for programs that cmd does not read. */
const cmd = (line: string): Promise<CommandResult> =>
  wine(['cmd', '/d', '/v:on', '/s', '/c', 'cmd.exe /d /s /c !GC_L!'], { GC_L: line })

t.before(async () => {
  await wine(['wineboot', '-i'])
})

t.test('a guest is looked at', async t => {
  const look = parseLook((await cmd(lookLine)).stdout.text)
  t.match(look, { version: /^\d+\.\d+\.\d+/, tools: { reg: true, taskkill: true, wmic: true } })
  const probe = await cmd(commandText('login-probe'))
  t.match(probe.stdout.text, /gc-shell C:\\windows\\system32\\cmd\.exe \$PSHOME \$0/i)
})

t.test('what a variable is set to is what it holds', async t => {
  // Wine’s cmd reads `%^NAME%` in its own way: a percent sign is not tried here, nor what is not ASCII.
  const values = ['a b', 'x&y|z', '<in>', 'say "no', "it's", 'a^b', '(c)', 'a,b;c=d', 'back\\slash\\', '!x!']
  const named = Object.fromEntries(values.map((value, index) => [`GC_T${index}`, value]))
  const { stdout, exit } = await cmd(markedLine('set GC_T', named, 'lab/guest/1', 'gcnonce'))
  t.equal(stdout.text, `gcnonce\n${values.map((value, index) => `GC_T${index}=${value}\n`).join('')}`)
  t.strictSame(exit, { kind: 'code', code: 0 })
})

t.test('statuses are true', async t => {
  for (const code of [1, 255]) {
    t.strictSame((await cmd(markedLine(`exit ${code}`, {}, 'm', 'n'))).exit, { kind: 'code', code })
  }
})

t.test('a line for a login shell Cygwin says its true status', async t => {
  const { line } = lineForLogin('cygwin', 'x', 'gcn')
  const [, inner = ''] = /'([^']*)'$/.exec(line) ?? []
  const run = await wine(['cmd', '/d', '/v:on', '/s', '/c', inner], { GC_L: 'echo said&exit 300' })
  t.equal(run.stdout.text, 'said\ngcne 300\n')
})

t.test('reg is read', async t => {
  // Its reader stands in another folder, above this one: here the form that it reads is looked at.
  const key = 'HKLM\\Software\\Microsoft\\Windows NT\\CurrentVersion'
  const { stdout, exit } = await cmd(commandText('reg-query', { KEY: key }))
  t.strictSame(exit, { kind: 'code', code: 0 })
  t.match(stdout.text, /^HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Windows NT\\CurrentVersion$/m)
  t.match(stdout.text, /^ {4}CurrentBuildNumber {4}REG_SZ {4}\d+$/m)
  const absent = await cmd(commandText('reg-query', { KEY: 'HKLM\\Software\\GuestcertNone' }))
  t.strictSame(absent.exit, { kind: 'code', code: 1 })
  t.match(`${absent.stdout.text}${absent.stderr.text}`, /unable to find the specified registry key/i)
})

t.test('wmic is read, or refused', async t => {
  const line = commandText('wmic-query', {
    NAMESPACE: 'root\\cimv2',
    CLASS: 'Win32_OperatingSystem',
    WHERE: '',
    PROPERTIES: 'Caption,Version',
  })
  const result = await cmd(line)
  const plain = await wine(['wmic', 'path', 'Win32_OperatingSystem', 'get', 'Caption,Version'])
  t.equal(plain.stdout.bytes[0], 0xff, 'it writes UTF-16 with its mark')
  t.match(plain.stdout.text, /^Caption +Version/, 'which is decoded')
  t.match(plain.stdout.text, /\d+\.\d+\.\d+/)
  // Wine 8 prints a table whatever the format; later versions know /value.
  const rows = parseWmic(result.stdout.text, ['Caption', 'Version'])
  if (rows.length > 0) {
    t.match(rows[0], { Version: /^\d+\.\d+\.\d+$/ })
  } else {
    t.throws(
      () => wmicQuery(result, ['Caption', 'Version']),
      /wmic/,
      'what is not understood is no empty answer',
    )
  }
})

t.test('base64 arrives whole, digits before redirections and all', async t => {
  const content = Buffer.from(Array.from({ length: 4000 }, (_, index) => (index * 7) % 256))
  const file = join(folder, 'carried')
  for (const line of base64Lines(`Z:${file.replaceAll('/', '\\')}`, content)) {
    t.strictSame((await cmd(line)).exit, { kind: 'code', code: 0 })
  }
  const text = readFileSync(`${file}.b64`, 'latin1').replace(/\s/g, '')
  t.ok(Buffer.from(text, 'base64').equals(content))
})

t.test('a long line goes by a batch file', async t => {
  const made = batchFile('set GC_A=100%&echo %GC_A%done&exit /b 7')
  t.equal(
    made?.toString(),
    '@echo off\r\nset GC_A=100%%&echo %%GC_A%%done&exit /b 7\r\n@exit %ERRORLEVEL%\r\n',
  )
  t.equal(batchFile('é'), null)
})
