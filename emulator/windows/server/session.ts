import type { CommandFaults } from '../../faults/active-faults.js'
import { misbehave, outputFaults } from '../../faults/command.js'
import { inputFile, outputFile } from '../../server/channel-files.js'
import type { Execution } from '../../server/ssh-server.js'
import { cmd } from '../cmd/shell.js'
import { tempOf } from '../system/boot.js'
import { type Call, type Program, type ProgramTable, runToEnd, splitArguments } from '../system/context.js'
import { Environment } from '../system/environment.js'
import type { Sink, Source } from '../system/io.js'
import type { WindowsSystem } from '../system/system.js'
import { decode } from '../text/code-pages.js'
import { bash } from './cygwin.js'

/** What a session runs in. */
export interface WindowsSession {
  readonly system: WindowsSystem
  readonly programs: ProgramTable
  readonly faults: CommandFaults
}

/** The environment that the SSH server gives a login. */
function loginEnvironment(system: WindowsSystem, execution: Execution, profile: string): Environment {
  const env = new Environment(system.environment)
  const temp = tempOf(system.persona, profile)
  const more: readonly (readonly [string, string])[] = [
    ['USERNAME', execution.user],
    ['USERDOMAIN', system.computerName],
    ['USERPROFILE', profile],
    ['HOMEDRIVE', 'C:'],
    ['HOMEPATH', profile.slice(2)],
    ['APPDATA', `${profile}\\AppData\\Roaming`],
    ['TEMP', temp],
    ['TMP', temp],
    ['GUESTCERT_EMULATED', '1'],
    ['SSH_CLIENT', '192.168.122.1 50000 22'],
    ['SSH_CONNECTION', '192.168.122.1 50000 192.168.122.50 22'],
    ...[...execution.env],
  ]
  for (const [name, value] of more) env.set(name, value)
  return env
}

/** The login shell that the SSH server starts, and the command line that it gives it. */
function loginShell(
  system: WindowsSystem,
  programs: ProgramTable,
  command: string | undefined,
): { image: string; line: string; tail: string; program: Program } {
  const { ssh, os } = system.persona
  if (ssh.loginShell === 'bash') {
    const tail = command === undefined ? ' -l' : ` -c ${command}`
    return { image: 'bash.exe', line: `/bin/bash${tail}`, tail, program: bash(command) }
  }
  if (ssh.loginShell === 'powershell') {
    const tail =
      command === undefined ? '' : ` -c "${command.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`
    const program = programs.get('powershell.exe') ?? cmd
    return {
      image: 'powershell.exe',
      line: `"c:\\windows\\system32\\windowspowershell\\v1.0\\powershell.exe"${tail}`,
      tail,
      program,
    }
  }
  // Microsoft's sshd quotes the command; the others hand it on as it is.
  const quoted = ssh.server === 'openssh' ? `"${command ?? ''}"` : (command ?? '')
  const tail = command === undefined ? '' : ` /c ${quoted}`
  return {
    image: 'cmd.exe',
    line: `"${os.systemRoot.toLowerCase()}\\system32\\cmd.exe"${tail}`,
    tail,
    program: cmd,
  }
}

/** Runs what a client asked for as the persona's SSH server does. */
export function runWindowsSession(execution: Execution, { system, programs, faults }: WindowsSession): void {
  const { channel, terminal } = execution
  const account = system.accounts.find(it => it.name.toLowerCase() === execution.user.toLowerCase())
  const command = execution.command === undefined ? undefined : execution.command
  const shell = loginShell(system, programs, command)
  const daemon = system.processes.list().find(it => /sshd|bvssh|freesshd/i.test(it.image))
  const process = system.processes.spawn({
    image: shell.image,
    line: shell.line,
    parent: daemon,
    user: account?.name ?? execution.user,
    session: 0,
  })
  const output = outputFaults(execution, { process, faults }, data => decode(data, 437))
  const input = inputFile(channel, terminal)
  const stdout = outputFile(channel, channel, output, terminal, () => {})
  const stderr = outputFile(
    channel,
    channel.stderr,
    data => data,
    terminal,
    () => {},
  )
  const sink = (file: typeof stdout): Sink => ({
    kind: 'channel',
    write: (data, signal) => file.write(data, signal).catch(gone),
  })
  const stdin: Source = {
    read: async signal => {
      const data = await input.read(65_536, signal)
      return data.length === 0 ? undefined : data
    },
  }
  const profile = account?.profile ?? 'C:\\'
  const call: Call = {
    system,
    process,
    console: { codePage: system.persona.os.oemCodePage },
    env: loginEnvironment(system, execution, profile),
    io: { stdin, stdout: sink(stdout), stderr: sink(stderr) },
    cwd: profile,
    programs,
    name: shell.image,
    tail: shell.tail,
    args: splitArguments(shell.tail),
  }
  const misbehaving = {
    process,
    faults,
    lineEnd: '\r\n',
    write: (stream: 'stdout' | 'stderr', data: Buffer) => call.io[stream].write(data, process.signal),
  }
  const work = (): Promise<number> => misbehave(misbehaving, () => shell.program(call))
  void runToEnd(process, work, call.io.stderr).then(code => {
    if (channel.destroyed) return
    if (!faults.lostStatus) {
      if (faults.signal !== undefined) channel.exit(faults.signal)
      else channel.exit(faults.exit ?? code)
    }
    channel.end()
  })
}

/** Who listened has gone: a program of Windows is not told of it by a signal. */
function gone(): void {}
