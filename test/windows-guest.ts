import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WindowsPersona } from '../emulator/windows/persona/schema.js'
import { stillGuest } from '../emulator/windows/still-guest.test.helper.js'
import { packageRoot } from '../src/config/package-root.js'
import { needProgram, type OpenSsh, startOpenSsh } from '../src/remote/openssh.test.fixture.js'
import { startWine } from '../src/remote/shells/windows/wine.test.fixture.js'
import { startPowerShellRelay } from './powershell-relay.js'

/** A Windows guest of real parts: OpenSSH's server, Wine's cmd, registry and processes, and a real PowerShell. */
export interface WindowsGuest {
  readonly server: OpenSsh
  /** Plays another persona from now on: what cmd and `reg` say stays as it is. */
  become(persona: string): Promise<void>
  close(): Promise<void>
}

const compiler = '/usr/bin/x86_64-w64-mingw32-gcc'

/** Programs of Wine's that have the name of one of Windows' and answer nothing that we ask. */
const idle = ['wbem/wmic.exe', 'wevtutil.exe', 'certutil.exe', 'cscript.exe']

const engine = 'HKLM\\SOFTWARE\\Microsoft\\PowerShell\\3\\PowerShellEngine'
const currentVersion = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'

/** Starts it. What is Windows' own and Wine has not comes from a persona. Needs root. */
export async function startWindowsGuest(persona: string): Promise<WindowsGuest> {
  needProgram(compiler, 'gcc-mingw-w64-x86-64-win32')
  const wine = await startWine()
  const undo: (() => Promise<void>)[] = [wine.close]
  const close = async (): Promise<void> => {
    for (const step of undo.reverse()) {
      await step()
    }
  }
  try {
    const { folder, driveC } = wine
    const still = stillGuest(persona)
    const data = join(folder, 'persona.json')
    const become = async (name: string): Promise<void> => {
      writeFileSync(data, JSON.stringify(await stillGuest(name).describe()))
    }
    await become(persona)
    const relay = await startPowerShellRelay({ persona: data, driveC })
    undo.push(relay.close)
    const env = { ...wine.env, GC_RELAY: String(relay.port) }
    installPowerShell(driveC)
    for (const name of idle) {
      rmSync(join(driveC, 'windows/system32', name), { force: true })
    }
    // Linux heeds case.
    symlinkSync('windows', join(driveC, 'Windows'))
    symlinkSync('temp', join(driveC, 'windows/Temp'))
    writeVersion(still.system.persona, env)
    const server = await startOpenSsh(leadToCmd({ folder, driveC, env }))
    undo.push(server.close)
    return { server, become, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Puts what a persona says of its version where cmd, its `ver` and `reg` look for it. */
function writeVersion({ os, powershell }: WindowsPersona, env: Place['env']): void {
  const values: readonly (readonly [key: string, name: string, type: string, value: string])[] = [
    [engine, 'PowerShellVersion', 'REG_SZ', powershell?.version ?? ''],
    // Wine looks nowhere else for these two numbers.
    [currentVersion, 'CurrentVersion', 'REG_SZ', os.nt],
    [currentVersion, 'CurrentBuild', 'REG_SZ', String(os.build)],
    [currentVersion, 'CurrentBuildNumber', 'REG_SZ', String(os.build)],
    [currentVersion, 'ProductName', 'REG_SZ', os.productName],
  ]
  for (const [key, name, type, value] of values) {
    execFileSync('wine', ['reg', 'add', key, '/f', '/v', name, '/t', type, '/d', value], {
      env,
      stdio: 'ignore',
    })
  }
}

/** The program that cmd starts as PowerShell hands all on to the real one. */
function installPowerShell(driveC: string): void {
  const home = join(driveC, 'windows/system32/WindowsPowerShell/v1.0')
  mkdirSync(home, { recursive: true })
  const source = join(packageRoot, 'fixtures/powershell/guest/powershell.c')
  execFileSync(compiler, ['-O2', '-s', '-o', join(home, 'powershell.exe'), source, '-lws2_32'])
}

interface Place {
  readonly folder: string
  readonly driveC: string
  readonly env: Readonly<Record<string, string>>
}

/** Lines of `sshd_config` that lead every command to cmd, and SFTP to a file system that has `/C:` alone. */
function leadToCmd({ folder, driveC, env }: Place): string[] {
  const [sftp, jail] = [join(folder, 'sftp'), join(folder, 'jail')]
  const enter = join(folder, 'enter')
  mkdirSync(jail)
  const inJail = `set -e
mount --make-rprivate /
mount -t tmpfs jail ${jail}
cd ${jail}
mkdir usr etc dev C:
cp -d /bin /lib /lib64 .
mount --rbind /usr usr
mount --rbind /etc etc
mount --rbind /dev dev
mount --bind ${driveC} C:
exec chroot . /usr/lib/openssh/sftp-server`
  writeFileSync(sftp, `#!/bin/sh\nexec unshare -m sh -c '${inJail}'\n`, { mode: 0o755 })
  const exported = Object.entries(env).map(([name, value]) => `export ${name}='${value}'`)
  const lead = `#!/bin/sh
if [ "$SSH_ORIGINAL_COMMAND" = "${sftp}" ]; then exec ${sftp}; fi
${exported.join('\n')}
exec ${join(folder, 'login-cmd')} -c "$SSH_ORIGINAL_COMMAND"
`
  writeFileSync(enter, lead, { mode: 0o755 })
  return [`ForceCommand ${enter}`, `Subsystem sftp ${sftp}`, 'MaxSessions 20']
}
