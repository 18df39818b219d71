import type { HostLimits } from '../limit.js'
import type { HostConnection } from '../shared/connection.js'
import { type CallOptions, type HostCommands, hostCommands, read } from '../shared/host-commands.js'
import { HostWatch } from '../shared/watch.js'
import { type ListedDomain, parseList, powerOfState } from './output.js'

const path = 'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin'

/** One Xen host without libvirt, and what its guests share. */
export interface XlHost {
  readonly id: string
  readonly connection: HostConnection

  readonly shell: HostCommands
  readonly limits: HostLimits
  readonly watch: HostWatch
}

export function createXlHost(id: string, connection: HostConnection, limits: HostLimits): XlHost {
  const shell = hostCommands(connection, id)
  const watch = new HostWatch(
    async signal => {
      const domains = await listDomains(shell, { signal, limit: limits.command, where: id })
      return new Map(
        domains.map(({ name, state, id }) => [
          name,
          { power: powerOfState(state), said: state, incarnation: String(id) },
        ]),
      )
    },
    { everyMs: limits.watchEvery.ms, silenceMs: limits.silence.ms },
  )
  return { id, connection, shell, limits, watch }
}

/**
 * Every domain of a host. `xm` is what RHEL 5 has; where both are installed, xl speaks to the hypervisor, and xm to a
 * daemon that may not run.
 */
export async function listDomains(shell: HostCommands, call: CallOptions): Promise<ListedDomain[]> {
  return read(parseList, await shell.demand(listCommand, call), shell.host)
}

/** A shell command that lists the domains that are there. */
export const listCommand: string = xl('list')

/** A shell command that says `xl` or `xm`: what the host has. */
export const whichToolstack: string = `${path};if command -v xl >/dev/null;then echo xl;else echo xm;fi`

/** The words of a shell command that runs xl, or xm where there is no xl. */
export function xl(...words: readonly string[]): string {
  return xlOrXm(words, words)
}

/** The same, where the two have different words. */
export function xlOrXm(words: readonly string[], old: readonly string[]): string {
  return `${path};if command -v xl >/dev/null;then xl ${words.join(' ')};else xm ${old.join(' ')};fi`
}
