import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { InfraError } from '../../config/errors.js'
import { quote } from '../../remote/index.js'
import type { Ability, Access, GuestRequest, RunningGuest } from '../driver.js'
import { findAddress } from '../libvirt/address.js'
import { fetchLog } from '../libvirt/evidence.js'
import type { DomainState } from '../libvirt/output.js'
import type { CallOptions } from '../libvirt/virsh.js'
import type { Limit } from '../limit.js'
import { findDomain, type XlHost, xl } from './host.js'
import { consoleLog, destroyDomain, watcherLog } from './instances.js'
import { parseEnd } from './output.js'

/** What xl can do with every guest. */
export const abilities: ReadonlySet<Ability> = new Set<Ability>(['console', 'pause', 'stop'])

/** The keys of a guest whose login says `image`. */
export type GuestKeys = Pick<Access, 'keyPath' | 'hostKey'>

/** All that is known of a domain that has been created. */
export interface XlGuestSetting {
  readonly host: XlHost
  readonly request: GuestRequest
  /** The instance's own name, or the VM's where it serves itself. */
  readonly domain: string
  readonly macs: readonly string[]
  readonly keys: GuestKeys
  readonly facts: Readonly<Record<string, string>>
  /** False for a VM that ran before and is not ours to end. */
  readonly ends: boolean
}

/** A domain of xl's that runs. */
export interface XlGuest extends RunningGuest {
  hasEnded(): boolean
  /** Stops watching it; it may go on. */
  release(): void
}

const never = new AbortController().signal
const sshPort = 22
/** Older than any libvirt that tells addresses: the host's own files are asked. */
const noLibvirt = '0'

/** Watches a domain that has been created, and offers what can be done with it. */
export function createXlGuest(setting: XlGuestSetting): XlGuest {
  const { host, request, domain } = setting
  const gone = new AbortController()
  let [ended, paused] = [false, false]
  let awaySince: number | null = null

  const call = (limit: Limit, signal: AbortSignal): CallOptions => ({
    signal,
    limit,
    where: request.instance,
  })
  const lose = (cause: 'guest' | 'host' | 'unknown', why: string): void => {
    if (!ended && !gone.signal.aborted) {
      const where = request.instance
      gone.abort(new InfraError(`${where}: ${why}`, { cause, where, code: 'lost' }))
    }
  }
  const onState = (state: DomainState | null): void => {
    if (state === 'crashed') {
      lose('guest', 'the guest crashed')
    } else if (state !== null && state !== 'in shutdown' && (state !== 'paused' || paused)) {
      awaySince = null
    } else {
      // A guest that reboots is away until xl has created it anew, and paused while xl builds it.
      awaySince ??= performance.now()
      if (performance.now() - awaySince <= host.limits.restart.ms) {
        return
      }
      if (state === 'paused') {
        lose('host', 'the host paused the guest')
      } else {
        void endOf(host, domain, call(host.limits.command, never)).then(({ cause, why }) => lose(cause, why))
      }
    }
  }
  const unwatch = host.watch.add({
    domain,
    onState,
    onSilence: error => lose('host', `the host no longer answers: ${error.message}`),
  })
  const change = async (verb: string, limit: Limit, signal: AbortSignal): Promise<void> => {
    await host.shell.demand(xl(verb, quote(domain)), call(limit, signal))
  }
  return {
    facts: { ...setting.facts, domain },
    gone: gone.signal,
    hasEnded: () => ended,
    release: unwatch,
    access: async signal => {
      const { placement } = request
      const endpoint = placement.endpoint ?? {
        host: await findAddress(host.shell, {
          domain,
          macs: setting.macs,
          library: noLibvirt,
          call: call(host.limits.command, signal),
          limit: host.limits.address,
          everyMs: host.limits.lookEvery.ms,
        }),
        port: sshPort,
        jumps: [],
      }
      const via = placement.viaHost ? { via: await host.connection.machine(signal) } : {}
      return { endpoint, ...setting.keys, ...via }
    },
    pause: async signal => {
      paused = true
      if ((await findDomain(host, domain, call(host.limits.command, signal)))?.state !== 'paused') {
        await change('pause', host.limits.command, signal)
      }
    },
    resume: async signal => {
      if ((await findDomain(host, domain, call(host.limits.command, signal)))?.state === 'paused') {
        await change('unpause', host.limits.command, signal)
      }
      paused = false
    },
    stop: async signal => {
      ended = true
      unwatch()
      try {
        if (setting.ends) {
          await stopDomain(host, domain, request.instance, signal)
        }
      } finally {
        const folder = request.evidenceFolder
        const logs = [
          [consoleLog(domain), join(folder, 'console.log')],
          [watcherLog(domain), join(folder, 'xl.log')],
        ] as const
        for (const [file, to] of logs) {
          // A log that cannot be had is no reason to leave a guest half undone.
          await fetchLog(host.shell, file, to, call(host.limits.evidence, never)).catch(() => {})
        }
      }
    },
  }
}

/** Whose end it was: the xl that waits for it writes down why. */
async function endOf(
  host: XlHost,
  domain: string,
  call: CallOptions,
): Promise<{ readonly cause: 'guest' | 'unknown'; readonly why: string }> {
  const log = await host.shell.demand(`tail -n 40 ${quote(watcherLog(domain))}`, call).catch(() => '')
  const reason = parseEnd(log)
  switch (reason) {
    case 'poweroff':
      return { cause: 'guest', why: 'the guest shut itself down' }
    case 'reboot':
      return { cause: 'unknown', why: 'the guest rebooted, and xl did not create it anew' }
    case 'crash':
    case 'watchdog':
      return { cause: 'guest', why: `the guest ended by a ${reason}` }
    default:
      return { cause: 'unknown', why: 'the domain is gone, and the host does not say why' }
  }
}

/** Asks the guest to shut down and waits, then ends it by force. Again, if need be. */
async function stopDomain(host: XlHost, domain: string, where: string, signal: AbortSignal): Promise<void> {
  const { limits, shell } = host
  const call = { signal, limit: limits.command, where }
  try {
    const before = await findDomain(host, domain, call)
    if (before === null) {
      return
    }
    if (before.state === 'paused') {
      await shell.demand(xl('unpause', quote(domain)), call)
    }
    if (before.state !== 'crashed') {
      await shell.demand(xl('shutdown', quote(domain)), call)
      await untilGone(host, domain, limits.shutdown, call)
    }
  } catch (error) {
    // Whatever kept it from its end, force does not: but nothing is forced on a host that is not reached.
    if (error instanceof InfraError && (error.context.code === 'lost' || error.context.code === 'connect')) {
      throw error
    }
  }
  await destroyDomain(host, domain, {
    ...call,
    limit: limits.destroy,
    signal: signal.aborted ? never : signal,
  })
}

async function untilGone(host: XlHost, domain: string, limit: Limit, call: CallOptions): Promise<void> {
  const startedAt = performance.now()
  for await (const _ of setInterval(host.limits.lookEvery.ms, null, { signal: call.signal })) {
    if ((await findDomain(host, domain, call)) === null || performance.now() - startedAt > limit.ms) {
      return
    }
  }
}
