import type { Ability, Access, GuestRequest, RunningGuest } from '../driver.js'
import type { Limit } from '../limit.js'
import { accessAt } from '../reach.js'
import type { CallOptions } from '../shared/host-commands.js'
import { findAddresses } from './address.js'
import { type FollowedConsole, followConsole } from './console.js'
import { appendsConsole, consoleFile, domainFacts, macs } from './domain.js'
import { takeScreenshot } from './evidence.js'
import { type LibvirtHost, type Seat, stateOf } from './host.js'
import type { Hotplug } from './hotplug.js'
import { type GuestLogs, guestLogs } from './logs.js'
import { moveDomain, type Route } from './move.js'
import type { StateAnswer, Versions } from './output.js'
import { destroyDomain, type PowerTarget, shutDown, startDomain, stopDomain } from './power.js'
import { setMemory, setVcpus } from './resources.js'
import { deleteSnapshot, ownName, revertTo, takeSnapshot } from './snapshots.js'
import { Vigil } from './vigil.js'
import type { XmlElement } from './xml.js'

/** All that is known of a domain that has been started. */
export interface GuestSetting {
  readonly seat: Seat
  /** `null` where the lab names no second host. */
  readonly route: Route | null
  readonly request: GuestRequest
  /** The instance's own name, or the VM's where it serves itself. */
  readonly domain: string
  /** What it was made from, as facts. */
  readonly image: Readonly<Record<string, string>>
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
  /** True while it is off because that was asked for. */
  isOff(): boolean
  /** Stops watching it; it may go on. */
  release(): void
}

export function createGuest(setting: GuestSetting): LibvirtGuest {
  return new Guest(setting).offered()
}

class Guest {
  readonly #setting: GuestSetting
  readonly #console: FollowedConsole | null
  readonly #vigil: Vigil
  readonly #logs: GuestLogs
  #screenshots = 0
  /** What was found last: the host that it is moved to need not know it. */
  #addresses: readonly string[] = []

  constructor(setting: GuestSetting) {
    this.#setting = setting
    const { seat, domain, request, xml } = setting
    this.#console = this.#followConsole()
    const where = request.instance
    this.#vigil = new Vigil({ seat, domain, where, xml, console: this.#console })
    this.#logs = guestLogs(request, domain, xml)
  }

  /** The calls that this domain, on this host, can answer. */
  offered(): LibvirtGuest {
    const { abilities, hotplug, domain, image, request, xml, versions, route } = this.#setting
    const offer = (ability: Ability, calls: Partial<RunningGuest>): Partial<RunningGuest> =>
      abilities.has(ability) ? calls : {}
    const quick = (signal: AbortSignal): CallOptions => this.#call(this.#host.limits.command, signal)
    const plain = (verb: string) => (signal: AbortSignal) => this.#change(verb, signal)
    return {
      facts: {
        ...domainFacts(xml),
        ...image,
        'libvirt version': versions.library,
        ...(versions.hypervisor === null ? {} : { hypervisor: versions.hypervisor }),
        domain,
      },
      gone: this.#vigil.gone,
      ...(this.#console === null ? {} : { console: this.#console }),
      access: signal => this.#access(signal),
      hasEnded: () => this.#vigil.hasEnded,
      isOff: () => this.#vigil.off,
      release: () => this.#release(),
      stop: signal => this.#stop(signal),
      ...offer('pause', { pause: this.#pause, resume: this.#resume }),
      ...offer('stop', {
        shutdown: signal => this.#turnOff(() => shutDown(this.#target, signal)),
        powerOff: signal => this.#turnOff(() => destroyDomain(this.#target, signal)),
        powerOn: this.#powerOn,
      }),
      ...offer('reset', { reset: plain('reset') }),
      ...offer('nmi', { nmi: plain('inject-nmi') }),
      ...offer('screenshot', {
        screenshot: async signal => {
          this.#screenshots += 1
          const { virsh, limits } = this.#host
          const call = this.#call(limits.evidence, signal)
          return takeScreenshot(virsh, domain, request.evidenceFolder, this.#screenshots, call)
        },
      }),
      ...offer('snapshot', { snapshot: this.#snapshot, revert: this.#revert, deleteSnapshot: this.#forget }),
      ...offer('attach-disk', {
        attachDisk: (sizeBytes, signal) => hotplug.attachDisk(sizeBytes, quick(signal)),
        detachDisk: (serial, signal) => hotplug.detachDisk(serial, quick(signal)),
      }),
      ...offer('attach-nic', {
        attachNic: signal => hotplug.attachNic(quick(signal)),
        detachNic: (mac, signal) => hotplug.detachNic(mac, quick(signal)),
      }),
      ...offer('set-vcpus', {
        setVcpus: (count, signal) => setVcpus(this.#host, domain, count, quick(signal)),
      }),
      ...offer('set-memory', {
        setMemory: (bytes, signal) => setMemory(this.#host, domain, bytes, quick(signal)),
      }),
      ...(route === null ? {} : offer('migrate', { migrate: signal => this.#migrate(route, signal) })),
    }
  }

  /** The host that it is on now. */
  get #host(): LibvirtHost {
    return this.#setting.seat.host
  }

  get #target(): PowerTarget {
    const { domain, request } = this.#setting
    return { host: this.#host, domain, where: request.instance }
  }

  #release(): void {
    this.#vigil.release()
    this.#console?.close()
  }

  #followConsole(): FollowedConsole | null {
    const { request, domain, xml } = this.#setting
    const file = consoleFile(xml)
    return file === null
      ? null
      : followConsole({
          virsh: () => this.#host.virsh,
          file,
          where: request.instance,
          fromStart: domain === request.instance,
          everyMs: this.#host.limits.consoleEvery.ms,
          call: signal => this.#call(this.#host.limits.command, signal),
        })
  }

  async #access(signal: AbortSignal): Promise<Access> {
    const { placement } = this.#setting.request
    const addresses = await this.#lookUp(signal, this.#host.id !== placement.host)
    const via = placement.viaHost ? { via: await this.#host.connection.machine(signal) } : {}
    return { ...accessAt(placement.endpoint, addresses), ...via }
  }

  async #lookUp(signal: AbortSignal, isAway: boolean): Promise<readonly string[]> {
    const { request, domain, xml } = this.#setting
    const host = this.#host
    if (request.placement.endpoint === undefined && !(isAway && this.#addresses.length > 0)) {
      const call = this.#call(host.limits.command, signal)
      this.#addresses = await findAddresses(host.virsh, {
        domain,
        macs: macs(xml),
        library: (await host.versions(call)).library,
        call,
        limit: { name: 'boot', ms: request.limits.boot },
        everyMs: host.limits.lookEvery.ms,
        asksAll: this.#addresses.length > 0,
      })
    }
    return this.#addresses
  }

  readonly #pause = async (signal: AbortSignal): Promise<void> => {
    this.#vigil.paused = true
    if ((await this.#state(signal))?.state !== 'paused') {
      await this.#change('suspend', signal)
    }
  }

  readonly #resume = async (signal: AbortSignal): Promise<void> => {
    if ((await this.#state(signal))?.state === 'paused') {
      await this.#change('resume', signal)
    }
    this.#vigil.paused = false
  }

  /** It is off on purpose from the moment that it is asked: it may be quick. */
  async #turnOff(how: () => Promise<void>): Promise<void> {
    const before = this.#vigil.off
    this.#vigil.off = true
    try {
      await this.#vigil.during(how)
      this.#vigil.paused = false
    } catch (error) {
      this.#vigil.off = before
      throw error
    }
  }

  readonly #powerOn = async (signal: AbortSignal): Promise<void> => {
    await this.#vigil.during(async () => {
      if (!appendsConsole(this.#setting.xml) && this.#vigil.off) {
        // The host begins the file anew: what it holds is evidence.
        await this.#console?.look(signal).catch(() => {})
        await this.#logs.keep(this.#host)
        this.#console?.begin()
      }
      await startDomain(this.#target, signal)
    })
    this.#vigil.off = false
  }

  readonly #snapshot = (name: string, signal: AbortSignal): Promise<void> =>
    this.#vigil.during(async () => {
      const { request, snapshots, domain } = this.#setting
      const own = ownName(name, request.instance)
      snapshots.add(own)
      await takeSnapshot(this.#host, domain, own, this.#call(this.#host.limits.snapshot, signal))
    })

  readonly #revert = (name: string, signal: AbortSignal): Promise<void> =>
    this.#vigil.during(async () => {
      const { request, domain } = this.#setting
      const own = ownName(name, request.instance)
      await revertTo(this.#host, domain, own, this.#call(this.#host.limits.snapshot, signal))
      this.#vigil.paused = false
      this.#vigil.off = false
    })

  readonly #forget = async (name: string, signal: AbortSignal): Promise<void> => {
    const { request, snapshots, domain } = this.#setting
    const own = ownName(name, request.instance)
    await deleteSnapshot(this.#host, domain, own, this.#call(this.#host.limits.snapshot, signal))
    snapshots.delete(own)
  }

  async #migrate(route: Route, signal: AbortSignal): Promise<{ host: string }> {
    const { seat, domain, request } = this.#setting
    const from = this.#host
    const { instance, placement } = request
    const call = this.#call(from.limits.migrate, signal)
    await this.#vigil.during(async () => {
      await this.#console?.look(signal).catch(() => {})
      try {
        await moveDomain({ seat, route, domain, instance, clean: placement.clean }, call)
      } finally {
        if (this.#host !== from) {
          await this.#settle(from)
        }
      }
    })
    return { host: this.#host.id }
  }

  /** Once it is elsewhere, what it said on the old host is evidence, and leaves it. */
  async #settle(from: LibvirtHost): Promise<void> {
    this.#vigil.move()
    this.#console?.begin()
    await this.#logs.keep(from)
    await this.#logs.remove(from)
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.#vigil.end()
    this.#console?.close()
    try {
      if (this.#setting.ends) {
        await stopDomain(this.#target, signal)
      }
    } finally {
      await this.#logs.fetch(this.#host)
    }
  }

  async #change(verb: string, signal: AbortSignal): Promise<void> {
    const { virsh, limits } = this.#host
    await this.#vigil.during(() =>
      virsh.call([verb, this.#setting.domain], this.#call(limits.command, signal)),
    )
  }

  #state(signal: AbortSignal): Promise<StateAnswer | null> {
    return stateOf(this.#host, this.#setting.domain, this.#call(this.#host.limits.command, signal))
  }

  #call(limit: Limit, signal: AbortSignal): CallOptions {
    return { signal, limit, where: this.#setting.request.instance }
  }
}
