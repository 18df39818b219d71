import { UsageError } from '../../config/errors.js'
import type { Guest, Host, Lab, Placement } from '../../config/model.js'

/** The guest whose clean state a scratch VM is made from. */
export interface Scratch {
  readonly host: Host
  readonly guest: Guest
  readonly placement: Placement
}

/** Finds what a scratch VM on a host can be made from: never a VM that is used as it is. Throws UsageError. */
export function scratchOn(lab: Lab, hostId: string): Scratch {
  const host = lab.hosts.get(hostId)
  if (host === undefined) {
    throw new UsageError(`unknown host "${hostId}": the lab has ${[...lab.hosts.keys()].join(', ')}`)
  }
  if (!host.driver.startsGuests) {
    throw new UsageError(
      `host "${hostId}": the driver ${host.driver.name} starts no guests: there is no contract to test`,
    )
  }
  const placed = [...lab.guests.values()].flatMap(guest =>
    guest.on.filter(on => on.host === hostId).map(placement => ({ host, guest, placement })),
  )
  const own = placed.find(
    ({ placement: { clean } }) =>
      host.driver.ownMachines || clean.kind === 'overlay' || clean.kind === 'copy',
  )
  if (own === undefined) {
    const kinds = host.driver.cleanStates.filter(kind => kind === 'overlay' || kind === 'copy')
    const wanted = kinds.map(kind => `"clean: { ${kind}: … }"`).join(' or ')
    throw new UsageError(
      `host "${hostId}": the contract test needs a scratch VM: place a guest there with ${wanted || 'a VM of its own'}`,
    )
  }
  return own
}
