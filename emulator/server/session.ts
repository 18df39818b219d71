import { type CommandFaults, hostileBytes } from '../faults/mischief.js'
import { fromText } from '../files/bytes.js'
import { Descriptors } from '../files/open-file.js'
import type { ExitStatus, Process } from '../system/process.js'
import { execute } from '../system/programs.js'
import { runToEnd } from '../system/run-to-end.js'
import { parseSignal } from '../system/signals.js'
import type { System } from '../system/system.js'
import { inputFile, type OutputFilter, outputFile } from './channel-files.js'
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
  const output = filters(execution, process, faults)
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
  files.set(1, outputFile(channel, channel, output.stdout, terminal, closed))
  files.set(2, outputFile(channel, channel.stderr, output.stderr, terminal, closed))
  execution.onSignal(signal => {
    const known = parseSignal(signal)
    if (known && host.forwardsSignals)
      for (const it of system.processes.targets(-process.pgid)) it.deliver(known)
  })
  const body = async (): Promise<number> => {
    if (faults.idle) return 0
    if (faults.hang === 'start') await never(process)
    if (faults.flood) await flood(process, faults.flood === 'stdout' ? 1 : 2)
    if (faults.garbage)
      await process.files.need(faults.garbage === 'stdout' ? 1 : 2).write(hostileBytes, process.signal)
    const code = await execute(system, process, account.shell, argv, env)
    if (faults.garbage)
      await process.files.get(faults.garbage === 'stdout' ? 1 : 2)?.write(hostileBytes, process.signal)
    if (faults.hang === 'end' || faults.reboots) await never(process)
    return code
  }
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

function never(process: Process): Promise<never> {
  return process.whileAlive(new Promise<never>(() => {}))
}

/** Between two pieces of a flood of 32 KiB: without it, a flood takes all of the machine that it is played on. */
const floodPauseMs = 10

async function flood(process: Process, fd: number): Promise<never> {
  const line = `${'all work and no play makes a guest a dull machine '.repeat(20)}\n`
  const lines = Buffer.from(line.repeat(32))
  for (;;) {
    await process.sleep(floodPauseMs)
    await process.files.need(fd).write(lines, process.signal)
  }
}

/** What the faults do to the output on its way out. */
function filters(
  execution: Execution,
  process: Process,
  faults: CommandFaults,
): { stdout: OutputFilter; stderr: OutputFilter } {
  const { drop, truncatedBytes, hang } = faults
  let sent = 0
  let tail = ''
  let held = Buffer.alloc(0)
  let stopped = false
  const seen = (data: Buffer): string => {
    tail = (tail + data.toString('latin1')).slice(-65_536)
    return tail
  }
  const stdout: OutputFilter = async data => {
    if (stopped) await never(process)
    let out = data
    if (truncatedBytes > 0) {
      const all = Buffer.concat([held, out])
      const keep = Math.max(0, all.length - truncatedBytes)
      held = all.subarray(keep)
      out = all.subarray(0, keep)
    }
    if (hang instanceof RegExp && hang.test(seen(out))) stopped = true
    if (drop?.afterBytes !== undefined && sent + out.length >= drop.afterBytes) {
      return cutAfter(execution, process, out.subarray(0, drop.afterBytes - sent))
    }
    sent += out.length
    if (drop?.afterOutput?.test(seen(out))) return cutAfter(execution, process, out)
    return out
  }
  return { stdout, stderr: data => data }
}

/** Sends the last bytes, then cuts the connection. */
async function cutAfter(execution: Execution, process: Process, last: Buffer): Promise<never> {
  if (last.length > 0) execution.channel.write(last)
  execution.cut()
  return never(process)
}
