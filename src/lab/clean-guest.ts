import { InfraError } from '../config/errors.js'
import type { Leftover } from '../hypervisors/driver.js'
import { type HostShell, parseSweep, quote, sweepCommand } from '../remote/index.js'

interface GuestOptions {
  readonly signal: AbortSignal
  readonly limitMs: number
}

/** Where runs keep their files on a guest that runs already. */
const root = '/var/tmp'
const namePattern = /^gc-([A-Za-z0-9-]+)-e\d+-\d+$/

/** The folders that runs left on a guest, and how one is removed. */
export function guestLeftovers(
  shell: () => Promise<HostShell>,
  options: GuestOptions,
): { readonly list: () => Promise<Leftover[]>; readonly remove: (name: string) => Promise<void> } {
  return {
    list: async () => {
      const listing = await demand(await shell(), `ls -1 ${root} && echo .`, options)
      return listing.split('\n').flatMap(name => {
        const run = namePattern.exec(name)?.[1]
        const what = `the folder ${root}/${name}`
        return run === undefined ? [] : [{ name, run, what, shared: false, kept: false }]
      })
    },
    remove: async name => {
      if (namePattern.test(name)) {
        await demand(await shell(), `rm -rf ${quote(`${root}/${name}`)}`, options)
      }
    },
  }
}

/** Ends every process of earlier runs; gives their number. Throws InfraError when some remain. */
export async function sweepGuest(shell: HostShell, mark: string, options: GuestOptions): Promise<number> {
  const swept = parseSweep(await demand(shell, sweepCommand({ mark }), options))
  if (swept === null || swept.left.length > 0) {
    const what = swept === null ? 'could not be looked for' : `could not be ended: ${swept.left.join(' ')}`
    throw refused(shell, `processes of an earlier run ${what}`)
  }
  return swept.killed
}

async function demand(shell: HostShell, command: string, options: GuestOptions): Promise<string> {
  const { exit, stdout, stderr } = await shell.run(command, { ...options, limitName: 'command' })
  if (exit.kind !== 'code' || exit.code !== 0) {
    const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
    throw refused(shell, `${command.slice(0, 60)} ended with ${how}: ${stderr.text.trim().slice(0, 200)}`)
  }
  return stdout.text
}

function refused({ label }: HostShell, what: string): InfraError {
  return new InfraError(`${label}: ${what}`, { cause: 'guest', where: label, code: 'command' })
}
