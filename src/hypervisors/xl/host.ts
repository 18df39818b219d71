import { InfraError } from '../../config/errors.js'
import { type HostLimits, type Limit, untilHolds } from '../limit.js'
import type { HostConnection } from '../shared/connection.js'
import { type CallOptions, type HostCommands, hostCommands, read } from '../shared/host-commands.js'
import { HostWatch } from '../shared/watch.js'
import { type ListedDomain, parseList } from './output.js'

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
      return new Map(domains.map(({ name, state }) => [name, state]))
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
  return read(parseList, await shell.demand(xl('list'), call), shell.host)
}

/** A domain; `null` when there is none of that name. */
export async function findDomain(
  { shell }: XlHost,
  name: string,
  call: CallOptions,
): Promise<ListedDomain | null> {
  return (await listDomains(shell, call)).find(domain => domain.name === name) ?? null
}

/** Looks at something until it holds; false when it does not within the limit. */
export async function until(
  { limits }: XlHost,
  holds: () => Promise<boolean>,
  limit: Limit,
  signal: AbortSignal,
): Promise<boolean> {
  return untilHolds(holds, { limit, everyMs: limits.lookEvery.ms, signal })
}

/** What the guest should have done by now. */
export function guestIsLate(host: XlHost, where: string, what: string, limit: Limit, said = ''): InfraError {
  const more = said.trim() === '' ? '' : `: ${said.trim()}`
  const message = `${where} on ${host.id}: the guest did not ${what} within ${limit.name} (${limit.ms} ms)${more}`
  return new InfraError(message, { cause: 'guest', where, code: 'limit', limit: limit.name })
}

const path = 'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin'

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
