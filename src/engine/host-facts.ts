import { InfraError } from '../config/errors.js'
import type { Host } from '../config/model.js'
import { contradiction, hostKeyFact, observedGuest, observedHypervisors } from '../config/observed.js'
import { withDeadline } from '../deadline/deadline.js'
import type { PlannedEnvironment } from '../plan/types.js'
import type { RunSettings } from './settings.js'

type Facts = Readonly<Record<string, string>>

/** What the hosts of a run show of themselves: each is asked once, and the journal is told. */
export class HostFacts {
  readonly #settings: RunSettings
  readonly #asked = new Map<string, Promise<Facts | null>>()

  constructor(settings: RunSettings) {
    this.#settings = settings
  }

  /**
   * Asks a host, unless it has answered before. `null` when it did not answer: nothing is known of it then, and its next
   * guest asks again. Never throws.
   */
  observe(host: Host): Promise<Facts | null> {
    const known = this.#asked.get(host.id)
    if (known !== undefined) return known
    const asking = this.#ask(host).catch(() => {
      this.#asked.delete(host.id)
      return null
    })
    this.#asked.set(host.id, asking)
    return asking
  }

  async #ask(host: Host): Promise<Facts> {
    const { plan, driverOf, emit, stop } = this.#settings
    const limit = {
      name: 'boot',
      ms: plan.limits.boot,
      where: host.id,
      cause: 'host',
      signal: stop,
    } as const
    const driver = driverOf(host)
    const facts = await withDeadline(limit, async signal => {
      const said = await driver.facts(signal)
      // Whose key it proved: an emulated host is known by it, whatever it says of itself.
      const machine = await driver.machine?.(signal)
      return machine === undefined ? said : { ...said, [hostKeyFact]: machine.hostKey }
    })
    if (Object.keys(facts).length > 0) emit({ type: 'host-observed', host: host.id, facts })
    return facts
  }
}

/**
 * Refuses a guest or a host that is not what the lab declares: what is tested there would be reported as something
 * else. @throws InfraError
 */
export function refuseOtherProducts(
  { guest, hypervisor }: Pick<PlannedEnvironment, 'guest' | 'hypervisor'>,
  {
    host,
    ofGuest,
    ofHost,
  }: { readonly host: string; readonly ofGuest: Facts; readonly ofHost: Facts | null },
): void {
  const observed = observedGuest(ofGuest)
  const found = [
    [guest.id, contradiction(guest, observed === null ? [] : [observed])],
    [host, contradiction(hypervisor, observedHypervisors(ofHost ?? {}))],
  ] as const
  for (const [where, why] of found) {
    if (why !== null) throw new InfraError(`${where}: ${why}`, { cause: 'runner', where, code: 'identity' })
  }
}
