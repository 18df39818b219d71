import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import type { Machine } from '../../remote/index.js'
import type { WatchedConsole } from '../console/watch.js'
import type { Ability, Access, GuestRequest, RunningGuest } from '../driver.js'
import type { Limit } from '../limit.js'
import { findAddress } from './address.js'
import { followConsole } from './console.js'
import { consoleFile, domainFacts, macs, tellsPanics } from './domain.js'
import { emulatorLog, fetchLog, takeScreenshot } from './evidence.js'
import { type LibvirtHost, stateOf, untilState } from './host.js'
import type { Hotplug } from './hotplug.js'
import { isSuspicious, type Loss, lossError, lossOf } from './loss.js'
import { type DomainState, isActive, type StateAnswer, type Versions } from './output.js'
import { deleteSnapshot, ownName, revertTo, takeSnapshot } from './snapshots.js'
import type { CallOptions } from './virsh.js'
import type { XmlElement } from './xml.js'

/** All that is known of a domain that has been started. */
export interface GuestSetting {
  readonly host: LibvirtHost
  readonly request: GuestRequest
  /** The instance's own name, or the VM's where it serves itself. */
  readonly domain: string
  readonly xml: XmlElement
  readonly versions: Versions
  readonly abilities: ReadonlySet<Ability>
  readonly hotplug: Hotplug
  /** Names of snapshots that were made, as libvirt has them. */
  readonly snapshots: Set<string>
  /** False for a VM that ran before and is not ours to end. */
  readonly ends: boolean
}

/** A domain of libvirt that runs. */
export interface LibvirtGuest extends RunningGuest {
  hasEnded(): boolean
  /** Stops watching it; it may go on. */
  release(): void
}

const never = new AbortController().signal
const sshPort = 22

export function createGuest(setting: GuestSetting): LibvirtGuest {
  return new Guest(setting).offered()
}

class Guest {
  readonly #setting: GuestSetting
  readonly #gone = new AbortController()
  readonly #unwatch: () => void
  readonly #console: WatchedConsole | null
  /** Calls under way that change the domain's state: what is seen meanwhile says nothing. */
  #changing = 0
  #changedAt = performance.now()
  #paused = false
  #ended = false
  #screenshots = 0

  constructor(setting: GuestSetting) {
    this.#setting = setting
    this.#console = this.#followConsole()
    const unwatch = setting.host.watch.add({
      domain: setting.domain,
      onState: (state, askedAt) => void this.#look(state, askedAt).catch(() => {}),
      onSilence: error => this.#lose({ cause: 'host', why: `the host no longer answers: ${error.message}` }),
    })
    this.#unwatch = () => {
      unwatch()
      this.#console?.close()
    }
  }

  /** The calls that this domain, on this host, can answer. */
  offered(): LibvirtGuest {
    const { abilities, hotplug, domain, host, request, snapshots, versions, xml } = this.#setting
    const { limits } = host
    const can = (ability: Ability): boolean => abilities.has(ability)
    const plain = (verb: string) => (signal: AbortSignal) => this.#change(verb, limits.command, signal)
    return {
      facts: {
        ...domainFacts(xml),
        'libvirt version': versions.library,
        ...(versions.hypervisor === null ? {} : { hypervisor: versions.hypervisor }),
        domain,
      },
      gone: this.#gone.signal,
      ...(this.#console === null ? {} : { console: this.#console }),
      access: signal => this.#access(signal),
      hasEnded: () => this.#ended,
      release: () => this.#unwatch(),
      stop: signal => this.#stop(signal),
      ...(can('pause') ? { pause: this.#pause, resume: this.#resume } : {}),
      ...(can('reset') ? { reset: plain('reset') } : {}),
      ...(can('nmi') ? { nmi: plain('inject-nmi') } : {}),
      ...(can('screenshot')
        ? {
            screenshot: async signal => {
              this.#screenshots += 1
              const call = this.#call(limits.evidence, signal)
              return takeScreenshot(host.virsh, domain, request.evidenceFolder, this.#screenshots, call)
            },
          }
        : {}),
      ...(can('snapshot')
        ? {
            snapshot: (name, signal) =>
              this.#unwatched(async () => {
                const own = ownName(name, request.instance)
                snapshots.add(own)
                await takeSnapshot(host, domain, own, this.#call(limits.snapshot, signal))
              }),
            revert: (name, signal) =>
              this.#unwatched(async () => {
                const own = ownName(name, request.instance)
                await revertTo(host, domain, own, this.#call(limits.snapshot, signal))
                this.#paused = false
              }),
            deleteSnapshot: async (name, signal) => {
              const own = ownName(name, request.instance)
              await deleteSnapshot(host, domain, own, this.#call(limits.snapshot, signal))
              snapshots.delete(own)
            },
          }
        : {}),
      ...(can('attach-disk')
        ? {
            attachDisk: (sizeBytes, signal) =>
              hotplug.attachDisk(sizeBytes, this.#call(limits.command, signal)),
            detachDisk: (serial, signal) => hotplug.detachDisk(serial, this.#call(limits.command, signal)),
          }
        : {}),
      ...(can('attach-nic')
        ? {
            attachNic: signal => hotplug.attachNic(this.#call(limits.command, signal)),
            detachNic: (mac, signal) => hotplug.detachNic(mac, this.#call(limits.command, signal)),
          }
        : {}),
    }
  }

  #followConsole(): WatchedConsole | null {
    const { host, request, domain, xml } = this.#setting
    const file = consoleFile(xml)
    return file === null
      ? null
      : followConsole({
          virsh: host.virsh,
          file,
          where: request.instance,
          fromStart: domain === request.instance,
          everyMs: host.limits.consoleEvery.ms,
          call: signal => this.#call(host.limits.command, signal),
        })
  }

  async #access(signal: AbortSignal): Promise<Access> {
    const { host, request, domain, xml, versions } = this.#setting
    const { placement } = request
    const endpoint = placement.endpoint ?? {
      host: await findAddress(host.virsh, {
        domain,
        macs: macs(xml),
        library: versions.library,
        call: this.#call(host.limits.command, signal),
        limit: host.limits.address,
        everyMs: host.limits.lookEvery.ms,
      }),
      port: sshPort,
      jumps: [],
    }
    const via: { via?: Machine } = placement.viaHost ? { via: await host.connection.machine(signal) } : {}
    return { endpoint, ...via }
  }

  readonly #pause = async (signal: AbortSignal): Promise<void> => {
    this.#paused = true
    if ((await this.#state(signal))?.state !== 'paused') {
      await this.#change('suspend', this.#setting.host.limits.command, signal)
    }
  }

  readonly #resume = async (signal: AbortSignal): Promise<void> => {
    if ((await this.#state(signal))?.state === 'paused') {
      await this.#change('resume', this.#setting.host.limits.command, signal)
    }
    this.#paused = false
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.#ended = true
    this.#unwatch()
    const { ends, xml, host, request, domain } = this.#setting
    try {
      if (ends) {
        await stopDomain(this.#setting, signal)
      }
    } finally {
      const folder = request.evidenceFolder
      const console = consoleFile(xml)
      const logs = [
        ...(console === null ? [] : [[console, join(folder, 'console.log')] as const]),
        // Of a VM that serves itself the log is older than the instance.
        ...(domain === request.instance ? [[emulatorLog(domain), join(folder, 'qemu.log')] as const] : []),
      ]
      for (const [file, to] of logs) {
        const call = this.#call(host.limits.evidence, never)
        // A log that cannot be had is no reason to leave a guest half undone.
        await fetchLog(host.virsh, file, to, call).catch(() => {})
      }
    }
  }

  async #change(verb: string, limit: Limit, signal: AbortSignal): Promise<void> {
    const { host, domain } = this.#setting
    await this.#unwatched(() => host.virsh.call([verb, domain], this.#call(limit, signal)))
  }

  async #unwatched<T>(work: () => Promise<T>): Promise<T> {
    this.#changing += 1
    try {
      return await work()
    } finally {
      this.#changing -= 1
      this.#changedAt = performance.now()
    }
  }

  async #look(state: DomainState | null, askedAt: number): Promise<void> {
    const isFresh = (): boolean => !this.#ended && this.#changing === 0 && askedAt > this.#changedAt
    const { host, xml } = this.#setting
    const context = { xen: host.xen, tellsPanics: tellsPanics(xml), paused: this.#paused }
    if (!isFresh() || !isSuspicious(state, context)) {
      return
    }
    const answer = state === null ? null : await this.#state(never)
    // What the guest said last outranks the end of its domain.
    await this.#console?.look(never).catch(() => {})
    const loss = isFresh() ? lossOf(answer, context) : null
    if (loss !== null) {
      this.#lose(loss)
    }
  }

  #lose(loss: Loss): void {
    if (!this.#ended && !this.#gone.signal.aborted) {
      this.#gone.abort(lossError(this.#setting.request.instance, loss))
    }
  }

  #state(signal: AbortSignal): Promise<StateAnswer | null> {
    const { host, domain } = this.#setting
    return stateOf(host, domain, this.#call(host.limits.command, signal))
  }

  #call(limit: Limit, signal: AbortSignal): CallOptions {
    return { signal, limit, where: this.#setting.request.instance }
  }
}

/** Asks the guest to shut down and waits, then ends it by force. Again, if need be. */
export async function stopDomain(
  { host, domain, request }: Pick<GuestSetting, 'host' | 'domain' | 'request'>,
  signal: AbortSignal,
): Promise<void> {
  const { limits } = host
  const where = request.instance
  const call = { signal, limit: limits.command, where }
  const isOff = (answer: StateAnswer | null): boolean => answer === null || !isActive(answer.state)
  try {
    const before = await stateOf(host, domain, call)
    if (before === null || before.state === 'shut off') {
      return
    }
    if (before.state === 'paused') {
      await host.virsh.call(['resume', domain], call)
    }
    if (before.state !== 'crashed') {
      await host.virsh.call(['shutdown', domain], call)
      await untilState(host, domain, isOff, limits.shutdown, call)
    }
  } catch (error) {
    // Whatever kept it from its end, force does not: but nothing is forced on a host that is not reached.
    if (error instanceof InfraError && (error.context.code === 'lost' || error.context.code === 'connect')) {
      throw error
    }
  }
  await destroyDomain(host, domain, where, signal.aborted ? never : signal)
}

/** Ends a domain at once, if it runs. */
export async function destroyDomain(
  host: LibvirtHost,
  domain: string,
  where: string,
  signal: AbortSignal,
): Promise<void> {
  const call = { signal, limit: host.limits.destroy, where }
  const answer = await stateOf(host, domain, call)
  if (answer === null || answer.state === 'shut off') {
    return
  }
  const destroyed = await host.virsh.ask(['destroy', domain], call)
  const after = await stateOf(host, domain, call)
  if (after !== null && after.state !== 'shut off') {
    const said = destroyed.stderr.trim()
    const message = `${where} on ${host.id}: virsh destroy ${domain} left it ${after.state}: ${said}`
    throw new InfraError(message, { cause: 'host', where, code: 'command' })
  }
}
