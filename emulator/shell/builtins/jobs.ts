import type { Bytes } from '../../files/bytes.js'
import { readKill, sendSignal } from '../../system/kill.js'
import { statusCode } from '../../system/run-to-end.js'
import { signalNumbers } from '../../system/signals.js'
import type { Builtin } from '../engine.js'
import type { Shell } from '../shell.js'

async function kill(shell: Shell, args: readonly Bytes[]): Promise<number> {
  const request = readKill(args)
  if (request === 'list') {
    await shell.write(1, `${Object.keys(signalNumbers).join(' ')}\n`)
    return 0
  }
  if (!request) {
    await shell.write(
      2,
      'Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]\n',
    )
    return 2
  }
  const targets = request.targets.map(target =>
    /^%/.test(target) ? String(shell.lastBackground ?? target) : target,
  )
  const failures = sendSignal(shell.system, shell.process, { ...request, targets })
  for (const failure of failures) {
    await shell.complain(
      shell.flavour === 'dash' ? `kill: ${failure.replace(/^\(.*\) - /, '')}` : `kill: ${failure}`,
    )
  }
  if (shell.process.signal.aborted) throw shell.process.signal.reason
  return failures.length > 0 ? 1 : 0
}

/** `wait`: for all children, or for those that are named. */
async function wait(shell: Shell, args: readonly Bytes[]): Promise<number> {
  const ids = args
    .filter(arg => arg !== '-n')
    .map(arg => (/^%/.test(arg) ? (shell.lastBackground ?? 0) : Number(arg)))
  let status = 0
  for (const id of ids.length > 0 ? ids : [...shell.jobs.keys()]) {
    const job = shell.jobs.get(id)
    if (!job) {
      status = 127
      continue
    }
    const ended = await shell.waitOrTrap(job)
    if ('trapped' in ended) return 128 + signalNumbers[ended.trapped]
    shell.jobs.delete(id)
    status = ids.length > 0 ? statusCode(ended) : 0
  }
  return status
}

async function jobs(shell: Shell, args: readonly Bytes[]): Promise<number> {
  let number = 1
  for (const pid of shell.jobs.keys()) {
    if (!shell.system.processes.get(pid)) continue
    await shell.write(1, args.includes('-p') ? `${pid}\n` : `[${number++}] ${pid} Running\n`)
  }
  return 0
}

/** Builtins about other processes. */
export const jobBuiltins: Readonly<Record<string, Builtin>> = {
  kill: { run: kill },
  wait: { run: wait },
  jobs: { run: jobs },
  times: {
    run: async shell => {
      await shell.write(1, '0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n')
      return 0
    },
  },
  disown: { run: () => 0, bashOnly: true },
}
