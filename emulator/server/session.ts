import type { CommandFaults } from '../faults/active-faults.js'
import { misbehave, outputFaults } from '../faults/command.js'
import { fromText } from '../files/bytes.js'
import { Descriptors } from '../files/open-file.js'
import type { ExitStatus } from '../system/process.js'
import { execute } from '../system/programs.js'
import { runToEnd } from '../system/run-to-end.js'
import { parseSignal } from '../system/signals.js'
import type { System } from '../system/system.js'
import { inputFile, outputFile } from './channel-files.js'
import type { Execution } from './ssh-server.js'

/** What a session runs in. */
export interface SessionHost {
  readonly system: System
  readonly shell: string
  /** Whether sshd passes the client's signals on to the command. */
  readonly forwardsSignals: boolean
  readonly faults: CommandFaults
}

/** The environment that sshd gives a login. */
function loginEnvironment(execution: Execution, account: System['accounts'][number]): Map<string, string> {
  return new Map([
    ['USER', account.name],
    ['LOGNAME', account.name],
    ['HOME', account.home],
    ['PATH', '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'],
    ['SHELL', account.shell],
    // Whoever logs in can tell what this is: results of it certify nothing.
    ['GUESTCERT_EMULATED', '1'],
    ['SSH_CLIENT', '127.0.0.1 50000 22'],
    ['SSH_CONNECTION', '127.0.0.1 50000 127.0.0.1 22'],
    ...[...execution.env].map(([name, value]) => [fromText(name), fromText(value)] as [string, string]),
  ])
}

/** Runs what a client asked for as sshd does: the user's shell, a session and a group of its own. */
export function runSession(execution: Execution, host: SessionHost): void {
  const { system, faults } = host
  const { channel, terminal } = execution
  const account = system.accounts.find(it => it.name === execution.user) ?? system.accounts[0]
  if (!account) {
    channel.close()
    return
  }
  const text = execution.command === undefined ? undefined : fromText(faults.altered ?? execution.command)
  const name = account.shell.split('/').at(-1) ?? 'sh'
  const argv = text === undefined ? [`-${name}`] : [name, '-c', text]
  const files = new Descriptors()
  const daemon = system.processes.list().find(process => /sshd/.test(process.argv[0] ?? ''))
  const env = loginEnvironment(execution, account)
  const process = system.processes.spawn({
    argv,
    files,
    uid: account.uid,
    gid: account.gid,
    environ: env,
    cwd: homeOf(system, account.home),
  })
  process.ppid = daemon?.pid ?? 1
  process.umask = 0o022
  const stdout = outputFaults(execution, { process, faults }, data => data.toString('latin1'))
  let open = 2
  let status: ExitStatus | undefined
  const closed = (): void => {
    open--
    finish()
  }
  const finish = (): void => {
    if (open === 0 && status) channel.end()
  }
  files.set(0, inputFile(channel, terminal))
  files.set(1, outputFile(channel, channel, stdout, terminal, closed))
  files.set(
    2,
    outputFile(channel, channel.stderr, data => data, terminal, closed),
  )
  execution.onSignal(signal => {
    const known = parseSignal(signal)
    if (known && host.forwardsSignals)
      for (const it of system.processes.targets(-process.pgid)) it.deliver(known)
  })
  const command = {
    process,
    faults,
    lineEnd: '\n',
    // A script may have closed it.
    write: async (stream: 'stdout' | 'stderr', data: Buffer) =>
      process.files.get(stream === 'stdout' ? 1 : 2)?.write(data, process.signal),
  }
  const body = (): Promise<number> =>
    misbehave(command, () => execute(system, process, account.shell, argv, env))
  void runToEnd(process, body).then(ended => {
    status = faults.signal === undefined ? ended : { signal: parseSignal(faults.signal) ?? 'KILL' }
    if (!channel.destroyed && !faults.lostStatus) tell(execution, status, faults)
    finish()
  })
}

function homeOf(system: System, home: string): string {
  return system.tree.lookup(home)?.type === 'directory' ? home : '/'
}

function tell({ channel }: Execution, status: ExitStatus, faults: CommandFaults): void {
  if (faults.exit !== undefined) channel.exit(faults.exit)
  else if ('code' in status) channel.exit(status.code)
  else channel.exit(status.signal)
}
