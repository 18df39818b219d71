import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import { quote } from '../../remote/index.js'
import type { Ability, Access, GuestRequest, RunningGuest } from '../driver.js'
import type { Limit } from '../limit.js'
import { accessAt } from '../reach.js'
import { lookInFiles, waitForAddresses } from '../shared/addresses.js'
import { fetchLog } from '../shared/evidence.js'
import type { CallOptions } from '../shared/host-commands.js'
import type { DomainState } from '../shared/power-state.js'
import type { DomainConfig } from './config.js'
import { findDomain, type XlHost, xl } from './host.js'
import type { Hotplug } from './hotplug.js'
import { consoleLog, watcherLog } from './instances.js'
import { parseEnd } from './output.js'
import { createDomain, destroyDomain, shutDown, stopDomain, type XlDomain } from './power.js'
import { setMemory, setVcpus } from './sizing.js'
import type { Snapshots } from './snapshots.js'

/** The keys of a guest whose login says `image`. */
export type GuestKeys = Pick<Access, 'keyPath' | 'hostKey'>

/** All that is known of a domain that has been created. */
export interface XlGuestSetting extends XlDomain {
  readonly request: GuestRequest
  readonly config: DomainConfig
  readonly macs: readonly string[]
  readonly keys: GuestKeys
  readonly facts: Readonly<Record<string, string>>
  readonly abilities: ReadonlySet<Ability>
  /** What was added to the instance's own domain, and its snapshots; `null` for a VM that serves itself. */
  readonly own: { readonly hotplug: Hotplug; readonly snapshots: Snapshots } | null
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

/** Watches a domain that has been created, and offers what can be done with it. */
export function createXlGuest(setting: XlGuestSetting): XlGuest {
  return new Guest(setting).offered()
}

class Guest {
  readonly #setting: XlGuestSetting
  readonly #gone = new AbortController()
  readonly #unwatch: () => void
  /** Calls under way that end or create the domain: what is seen meanwhile says nothing. */
  #changing = 0
  #changedAt = performance.now()
  #awaySince: number | null = null
  #paused = false
  /** Off because it was asked to be. */
  #off = false
  #ended = false
  #addresses: readonly string[] = []

  constructor(setting: XlGuestSetting) {
    this.#setting = setting
    this.#unwatch = setting.host.watch.add({
      domain: setting.domain,
      onState: (state, askedAt) => this.#look(state, askedAt),
      onSilence: error => this.#lose('host', `the host no longer answers: ${error.message}`),
    })
  }

  /** The calls that this domain, on this host, can answer. */
  offered(): XlGuest {
    const { abilities, own, host, domain } = this.#setting
    const { limits } = host
    const can = (ability: Ability): boolean => abilities.has(ability)
    return {
      facts: { ...this.#setting.facts, domain },
      gone: this.#gone.signal,
      access: signal => this.#access(signal),
      hasEnded: () => this.#ended,
      release: () => this.#unwatch(),
      stop: signal => this.#stop(signal),
      ...(can('pause') ? { pause: this.#pause, resume: this.#resume } : {}),
      ...(can('stop') ? { shutdown: this.#shutdown, powerOff: this.#powerOff, powerOn: this.#powerOn } : {}),
      ...(can('reset')
        ? {
            reset: signal => this.#changes(() => this.#create(signal)),
          }
        : {}),
      ...(can('nmi') ? { nmi: signal => this.#change(['trigger', quote(domain), 'nmi'], signal) } : {}),
      ...(can('set-vcpus')
        ? { setVcpus: (count, signal) => setVcpus(this.#setting, count, this.#call(limits.command, signal)) }
        : {}),
      ...(can('set-memory')
        ? {
            setMemory: (bytes, signal) => setMemory(this.#setting, bytes, this.#call(limits.command, signal)),
          }
        : {}),
      ...(own === null ? {} : this.#offeredOfOwn(own)),
    }
  }

  /** What leaves files beside the disks: only an instance's own domain has them. */
  #offeredOfOwn({ hotplug, snapshots }: NonNullable<XlGuestSetting['own']>): Partial<RunningGuest> {
    const { abilities, host } = this.#setting
    const call = (signal: AbortSignal): CallOptions => this.#call(host.limits.command, signal)
    return {
      ...(abilities.has('snapshot')
        ? {
            snapshot: (name, signal) => this.#changes(() => snapshots.take(name, call(signal)), 'as before'),
            deleteSnapshot: (name, signal) => snapshots.remove(name, call(signal)),
          }
        : {}),
      ...(abilities.has('revert')
        ? { revert: (name, signal) => this.#changes(() => snapshots.revert(name, call(signal))) }
        : {}),
      ...(abilities.has('attach-disk')
        ? {
            attachDisk: (sizeBytes, signal) => hotplug.attachDisk(sizeBytes, call(signal)),
            detachDisk: (serial, signal) => hotplug.detachDisk(serial, call(signal)),
          }
        : {}),
      ...(abilities.has('attach-nic')
        ? {
            attachNic: signal => hotplug.attachNic(call(signal)),
            detachNic: (mac, signal) => hotplug.detachNic(mac, call(signal)),
          }
        : {}),
    }
  }

  async #access(signal: AbortSignal): Promise<Access> {
    const { host, request, macs, keys } = this.#setting
    const { placement } = request
    if (placement.endpoint === undefined) {
      const call = this.#call(host.limits.command, signal)
      this.#addresses = await waitForAddresses(() => lookInFiles(host.shell, { macs, call }), {
        host: host.id,
        macs,
        call,
        limit: { name: 'boot', ms: request.limits.boot },
        everyMs: host.limits.lookEvery.ms,
      })
    }
    const via = placement.viaHost ? { via: await host.connection.machine(signal) } : {}
    return { ...accessAt(placement.endpoint, this.#addresses), ...keys, ...via }
  }

  readonly #pause = async (signal: AbortSignal): Promise<void> => {
    this.#paused = true
    if ((await this.#state(signal)) !== 'paused') {
      await this.#change(['pause', quote(this.#setting.domain)], signal)
    }
  }

  readonly #resume = async (signal: AbortSignal): Promise<void> => {
    if ((await this.#state(signal)) === 'paused') {
      await this.#change(['unpause', quote(this.#setting.domain)], signal)
    }
    this.#paused = false
  }

  readonly #shutdown = (signal: AbortSignal): Promise<void> =>
    this.#changes(() => shutDown(this.#setting, this.#call(this.#setting.host.limits.command, signal)), 'off')

  readonly #powerOff = (signal: AbortSignal): Promise<void> => {
    const { host, domain } = this.#setting
    return this.#changes(() => destroyDomain(host, domain, this.#call(host.limits.destroy, signal)), 'off')
  }

  readonly #powerOn = async (signal: AbortSignal): Promise<void> => {
    if (this.#off) {
      await this.#changes(() => this.#create(signal))
    }
  }

  /** From its configuration: what was added to it while it ran is gone. */
  async #create(signal: AbortSignal): Promise<void> {
    const { host, own } = this.#setting
    await createDomain(this.#setting, this.#call(host.limits.start, signal))
    await own?.hotplug.becomes(new Map(), this.#call(host.limits.command, signal))
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.#ended = true
    this.#unwatch()
    const { ends, host, request, domain } = this.#setting
    try {
      if (ends) {
        await stopDomain(this.#setting, request.instance, signal)
      } else if (this.#off) {
        // It ran before, and so it does again.
        await this.#create(signal)
      }
    } finally {
      const folder = request.evidenceFolder
      const logs = [
        [consoleLog(domain), join(folder, 'console.log')],
        [watcherLog(domain), join(folder, 'xl.log')],
      ] as const
      for (const [file, to] of logs) {
        // A log that cannot be had is no reason to leave a guest half undone.
        await fetchLog(host.shell, file, to, this.#call(host.limits.evidence, never)).catch(() => {})
      }
    }
  }

  async #change(words: readonly string[], signal: AbortSignal): Promise<void> {
    const { host } = this.#setting
    await host.shell.demand(xl(...words), this.#call(host.limits.command, signal))
  }

  /** Ends the domain, or makes it anew, or both: what is seen of it meanwhile says nothing. */
  async #changes(work: () => Promise<void>, then: 'on' | 'off' | 'as before' = 'on'): Promise<void> {
    this.#changing += 1
    try {
      await work()
      if (then !== 'as before') {
        this.#off = then === 'off'
        this.#paused = false
      }
    } finally {
      this.#changing -= 1
      this.#changedAt = performance.now()
      this.#awaySince = null
    }
  }

  #look(state: DomainState | null, askedAt: number): void {
    const { host, domain } = this.#setting
    if (this.#off || this.#changing > 0 || askedAt <= this.#changedAt) {
      return
    }
    if (state === 'crashed') {
      this.#lose('guest', 'the guest crashed')
    } else if (state !== null && state !== 'in shutdown' && (state !== 'paused' || this.#paused)) {
      this.#awaySince = null
    } else {
      // A guest that reboots is away until xl has created it anew, and paused while xl builds it.
      this.#awaySince ??= performance.now()
      if (performance.now() - this.#awaySince <= host.limits.restart.ms) {
        return
      }
      if (state === 'paused') {
        this.#lose('host', 'the host paused the guest')
      } else {
        const call = this.#call(host.limits.command, never)
        void endOf(host, domain, call).then(({ cause, why }) => this.#lose(cause, why))
      }
    }
  }

  #lose(cause: 'guest' | 'host' | 'unknown', why: string): void {
    if (!this.#ended && !this.#gone.signal.aborted) {
      const where = this.#setting.request.instance
      this.#gone.abort(new InfraError(`${where}: ${why}`, { cause, where, code: 'lost' }))
    }
  }

  async #state(signal: AbortSignal): Promise<DomainState | undefined> {
    const { host, domain } = this.#setting
    return (await findDomain(host, domain, this.#call(host.limits.command, signal)))?.state
  }

  #call(limit: Limit, signal: AbortSignal): CallOptions {
    return { signal, limit, where: this.#setting.request.instance }
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
