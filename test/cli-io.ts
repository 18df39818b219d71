import type { CommandIo } from '../src/cli/args.js'
import { dispatch } from '../src/cli/dispatch.js'

/** How a command line ended. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Carries out a command line inside this process, without a terminal unless `columns` says how wide. */
export async function guestcert(
  argv: readonly string[],
  around: { readonly cwd?: string; readonly env?: CommandIo['env']; readonly columns?: number } = {},
): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr'): CommandIo['stdout'] => ({
    isTTY: around.columns !== undefined,
    ...(around.columns === undefined ? {} : { columns: around.columns }),
    write: (text: string) => {
      said[name] += text
    },
  })
  const io = {
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: around.env ?? {},
    cwd: around.cwd ?? process.cwd(),
  }
  return { code: await dispatch(argv, io), ...said }
}
