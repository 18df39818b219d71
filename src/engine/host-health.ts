import { InfraError } from '../config/errors.js'
import { withDeadline } from '../deadline/deadline.js'
import { describeTrouble, type Trouble } from './cause.js'
import type { RunSettings } from './settings.js'

/** What the engine knows of its hosts: which of them serve nothing more in this run, and why. */
export class HostHealth {
  readonly #settings: RunSettings
  readonly #failures = new Map<string, number>()
  readonly #aside = new Map<string, string>()
  /** Checks under way: guests that fall together are one failure of their host. */
  readonly #checking = new Map<string, Promise<Trouble | null>>()
  readonly #onSetAside: (host: string) => void

  constructor(settings: RunSettings, onSetAside: (host: string) => void) {
    this.#settings = settings
    this.#onSetAside = onSetAside
  }

  /** Why a host is set aside; `null` while it serves. */
  whyAside(host: string): string | null {
    return this.#aside.get(host) ?? null
  }

  /** Hosts of these that still serve. */
  serving(hosts: readonly string[]): string[] {
    return hosts.filter(host => !this.#aside.has(host))
  }

  /** An instance did its part on the host. */
  worked(host: string): void {
    this.#failures.delete(host)
  }

  /**
   * Asks a host how it is after trouble that may be its own. When it does not answer the trouble is the
   * host's, whatever it looked like; after so many failures in a row it is set aside.
   */
  async examine(host: string, trouble: Trouble): Promise<Trouble> {
    if (trouble.cause !== 'host' && trouble.cause !== 'network') {
      return trouble
    }
    const checking = this.#checking.get(host) ?? this.#check(host)
    this.#checking.set(host, checking)
    const ill = await checking.finally(() => this.#checking.delete(host))
    this.#settings.stop.throwIfAborted()
    return ill === null ? trouble : { ...trouble, cause: 'host' }
  }

  async #check(id: string): Promise<Trouble | null> {
    const { lab, plan, driverOf, stop } = this.#settings
    const host = lab.hosts.get(id)
    if (host === undefined || this.#aside.has(id)) {
      return null
    }
    const limit = { name: 'health', ms: plan.limits.health, where: id, cause: 'host', signal: stop } as const
    try {
      await withDeadline(limit, signal => driverOf(host).facts(signal))
      this.worked(id)
      return null
    } catch (error) {
      const ill = describeTrouble(error)
      if (!stop.aborted) {
        this.#failed(id, ill.message)
      }
      return ill
    }
  }

  #failed(host: string, message: string): void {
    const failures = (this.#failures.get(host) ?? 0) + 1
    this.#failures.set(host, failures)
    if (failures < this.#settings.lab.hostFailures) {
      return
    }
    const checks = failures === 1 ? 'its health check failed' : `${failures} health checks in a row failed`
    const reason = `${checks}: ${message}`
    this.#aside.set(host, reason)
    this.#settings.emit({ type: 'host-set-aside', host, failures, reason })
    this.#onSetAside(host)
  }

  /** The trouble of an environment that no host is left for. */
  noneLeft(hosts: readonly string[]): Trouble {
    const why = hosts.map(host => `${host} (${this.whyAside(host) ?? 'not enough capacity'})`).join('; ')
    const message = `no host is left that can serve it: ${why}`
    return describeTrouble(
      new InfraError(message, { cause: 'host', where: hosts.join(', '), code: 'capacity' }),
    )
  }
}
