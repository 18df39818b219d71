import type { Lab } from '../config/model.js'
import { type Choice, isChosen, refuseUnknown } from './choice.js'

/** What of a lab is looked at: chosen guests on chosen hosts, and the hosts that bear them. */
export function narrowLab(lab: Lab, { guests, hosts }: Pick<Choice, 'guests' | 'hosts'>): Lab {
  refuseUnknown('--guest', guests, [...lab.guests.keys()])
  refuseUnknown('--host', hosts, [...lab.hosts.keys()])
  const left = [...lab.guests.values()]
    .filter(({ id }) => isChosen(guests, id))
    .map(guest => ({ ...guest, on: guest.on.filter(({ host }) => isChosen(hosts, host)) }))
    .filter(({ on }) => on.length > 0)
  const bearing = new Set(left.flatMap(({ on }) => on.map(({ host }) => host)))
  return {
    ...lab,
    guests: new Map(left.map(guest => [guest.id, guest])),
    hosts: new Map(
      [...lab.hosts].filter(([id]) => (guests.length === 0 ? isChosen(hosts, id) : bearing.has(id))),
    ),
  }
}
