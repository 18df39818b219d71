import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needProgram } from '../../openssh.test.fixture.js'
import { type Answer, realShell } from '../../server.test.fixture.js'

/** A Windows of Wine's in a temporary folder of its own (some 700 MB while it is there). */
export interface Wine {
  /** A folder of this machine, and how Wine's programs write its path. */
  readonly folder: string
  readonly windowsFolder: string
  /** Its drive C:, and the environment in which programs of this machine reach it. */
  readonly driveC: string
  readonly env: Readonly<Record<string, string>>
  /** What an SSH server does whose login shell is cmd. Of a status, it keeps 8 bits, as this machine does. */
  readonly cmd: Answer
  /** The same with a bash that finds `cmd.exe`, as Cygwin's does. */
  readonly bash: Answer
  /** Ends what runs in this Windows, and removes it. */
  close(): Promise<void>
}

/** Ms, by name. Generous: a machine with all its cores in use takes ten times as long as an idle one. */
const limits = { winePrefix: 300_000, wineSettled: 300_000, wineFirstCommand: 120_000, wineStop: 60_000 }

/** What the tests use; a Windows without them is not complete. */
const complete = [
  '.update-timestamp',
  'system.reg',
  ...['cmd', 'reg', 'taskkill', 'tasklist', 'wbem/wmic'].map(name => `drive_c/windows/system32/${name}.exe`),
]

/**
 * As a login shell `cmd` would be given a line. It travels in the environment: Wine writes quotes for programs in a way
 * that cmd does not read. No delayed expansion takes it from there: Wine's cmd looks for variables in what it has put in
 * place of one. A line that names its own variable in it has no end then, and every `!NAME!` of the line would be
 * expanded by a shell that a login shell does not have.
 */
const loginCmd = `#!/bin/sh
GUESTCERT_WINE_LINE=$2 exec wine cmd /d /s /c 'cmd.exe /d /s /c %GUESTCERT_WINE_LINE%'
`
const cmdExe = `#!/bin/sh
exec wine cmd "$@"
`

/** Makes the Windows. Throws naming the Debian package when Wine is missing, or the limit that was reached. */
export async function startWine(): Promise<Wine> {
  needProgram('/usr/bin/wine', 'wine')
  needProgram('/usr/lib/wine/wine64', 'wine64')
  const folder = mkdtempSync(join(tmpdir(), 'guestcert-wine-'))
  const prefix = join(folder, 'prefix')
  const env = {
    PATH: `${folder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: folder,
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    // Neither .NET nor a browser engine is offered for download.
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
    LC_ALL: 'C.UTF-8',
    // An offset that no other clock of the test has.
    TZ: 'TST-5:30',
  }
  const log = join(folder, 'wine.log')
  // Services that a first command starts would keep its pipes open: what they say goes to a file.
  const logFile = openSync(log, 'a')
  const run = async (limit: keyof typeof limits, program: string, args: readonly string[]): Promise<void> => {
    const stdio = ['ignore', logFile, logFile] as const
    const child = spawn(program, args, { env, timeout: limits[limit], stdio: [...stdio] })
    const [status] = (await once(child, 'exit')) as [number | null]
    if (status !== 0) {
      const why =
        status === null ? `the limit "${limit}" of ${limits[limit]} ms was reached` : `status ${status}`
      throw new Error(`${program} ${args.join(' ')}: ${why}\n${readFileSync(log, 'utf8').slice(-2000)}`)
    }
  }
  const close = async (): Promise<void> => {
    // Its status only tells whether anything still ran.
    await run('wineStop', 'wineserver', ['-k']).catch(() => {})
    await run('wineStop', 'wineserver', ['-w'])
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    writeFileSync(join(folder, 'login-cmd'), loginCmd, { mode: 0o755 })
    writeFileSync(join(folder, 'cmd.exe'), cmdExe, { mode: 0o755 })
    await run('winePrefix', 'wineboot', ['--init'])
    // It goes on writing after wineboot has ended; all is there once its server has nobody left to serve.
    await run('wineSettled', 'wineserver', ['-w'])
    const missing = complete.filter(name => !existsSync(join(prefix, name)))
    if (missing.length > 0) {
      throw new Error(`Wine made no whole Windows: ${missing.join(', ')} is missing in ${prefix}`)
    }
    await keepRunning(env)
  } catch (error) {
    await close()
    throw error
  }
  return {
    folder,
    windowsFolder: `Z:${folder.replaceAll('/', '\\')}`,
    driveC: join(prefix, 'drive_c'),
    env,
    cmd: realShell([join(folder, 'login-cmd')], env),
    bash: realShell(['/bin/bash'], env),
    close,
  }
}

/**
 * A cmd that waits for lines as long as the test lasts. Without one, Wine's services would start with each command and
 * end after it, and keep its pipes open until then.
 */
async function keepRunning(env: Readonly<Record<string, string>>): Promise<void> {
  const keeper = spawn('wine', ['cmd', '/d', '/q'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  keeper.stdin.on('error', () => {})
  const limit = AbortSignal.timeout(limits.wineFirstCommand)
  await once(keeper.stdout, 'data', { signal: limit }).catch(() => {
    const ms = limits.wineFirstCommand
    throw new Error(`wine cmd printed nothing within the limit "wineFirstCommand" of ${ms} ms`)
  })
  keeper.stdout.resume()
}
