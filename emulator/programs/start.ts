import type { Bytes } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import type { ExitStatus, Process } from '../system/process.js'
import { type Call, execute, findCommand } from '../system/programs.js'
import { runToEnd } from '../system/run-to-end.js'
import { complain } from './streams.js'

/** The PATH of programs that were given none. */
export const fallbackPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Becomes another program, as `execvp` does; says so when it cannot. Resolves to the exit code. */
export async function become(
  call: Call,
  argv: readonly Bytes[],
  env: ReadonlyMap<Bytes, Bytes> = call.env,
  process: Process = call.process,
): Promise<number> {
  const [name = ''] = argv
  const found = findCommand(call.system, process, name, env.get('PATH') ?? fallbackPath)
  if ('status' in found) {
    await complain(call, `${name}: ${found.status === 127 ? 'No such file or directory' : found.reason}`)
    return found.status
  }
  try {
    return await execute(call.system, process, found.path, argv, env)
  } catch (error) {
    if (!(error instanceof SystemError) || !error.message.includes('execve')) throw error
    await complain(call, `${name}: ${describe(error)}`)
    return 126
  }
}

/** Starts another program in a process of its own; `change` is done to it before. */
export function spawn(
  call: Call,
  argv: readonly Bytes[],
  change: (child: Process) => void = () => {},
): { readonly child: Process; readonly ended: Promise<ExitStatus> } {
  const child = call.system.processes.spawn({ parent: call.process, argv, environ: call.env })
  change(child)
  return { child, ended: runToEnd(child, () => become(call, argv, call.env, child)) }
}
