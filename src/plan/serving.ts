import type { Guest, Host, Lab, Placement } from '../config/model.js'
import { type Requester, whyReserved } from './reservation.js'
import type { SuiteTest } from './suite.js'

/** What a driver can do with a guest placed so, by name. */
export type AbilitiesOf = (host: Host, placement: Placement) => ReadonlySet<string>

/** The hosts of one environment, and what each of them is able to. */
export interface Serving {
  abilities(host: string): ReadonlySet<string>
  /** Those of the hosts that can do and have all that the test needs. */
  able(hosts: readonly string[], test: SuiteTest): string[]
  /** Why none of the hosts is able, in words. */
  whyNone(hosts: readonly string[], test: SuiteTest): string
}

/** Placements of one pairing may differ in what their hosts can do with the guest. */
export function servingOf(
  lab: Lab,
  guest: Guest,
  configuration: string,
  abilitiesOf: AbilitiesOf,
  requester: Requester | null,
): Serving {
  const places = new Map(
    guest.on.flatMap(placement => {
      const host = lab.hosts.get(placement.host)
      if (host === undefined || placement.configuration.name !== configuration) {
        return []
      }
      const second = lab.hosts.get(placement.migratesTo ?? '')
      const whyStays = second === undefined ? null : whyReserved(second, requester)
      return [[host.id, { abilities: abilitiesOf(host, placement), whyStays }] as const]
    }),
  )
  const lacking = (host: string, { needs }: SuiteTest): string[] => {
    const { abilities, whyStays = null } = places.get(host) ?? {}
    return needs.host.filter(
      ability => abilities?.has(ability) !== true || (ability === 'migrate' && whyStays !== null),
    )
  }
  const locksOff = (host: string, { needs }: SuiteTest): string[] =>
    needs.locks.filter(lock => lab.hosts.get(host)?.capacity.locks.includes(lock) !== true)
  return {
    abilities: host => places.get(host)?.abilities ?? new Set(),
    able: (hosts, test) =>
      hosts.filter(host => lacking(host, test).length === 0 && locksOff(host, test).length === 0),
    whyNone: (hosts, test) => {
      const never = test.needs.host.filter(ability =>
        hosts.every(host => lacking(host, test).includes(ability)),
      )
      if (never.length > 0) {
        const whyStays = hosts.map(host => places.get(host)?.whyStays).find(why => why != null)
        const because = never.includes('migrate') && whyStays != null ? `: ${whyStays}` : ''
        return hosts.length === 1
          ? `the host ${hosts.join('')} cannot ${never.join(', ')}${because}`
          : `none of ${hosts.join(', ')} can ${never.join(', ')}${because}`
      }
      const locks = test.needs.locks.join(', ')
      return hosts.length === 1
        ? `the host ${hosts.join('')} has not the lock ${locks} (capacity: locks)`
        : `none of ${hosts.join(', ')} has ${[...test.needs.host, `the lock ${locks} (capacity: locks)`].join(', ')}`
    },
  }
}
