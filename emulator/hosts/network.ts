import type { FileTree } from '../files/tree.js'
import type { ManagedHostPersona } from '../persona/schema.js'
import { digest, macOf, nicsOf } from './domain.js'
import type { Hypervisor } from './hypervisor.js'

/** What guests stand in. */
type Network = Pick<ManagedHostPersona, 'network'>

const [lowest, count] = [100, 150]

/**
 * Who has which address in the networks of one lab. Like dnsmasq, it begins to look at a place that the card's own
 * address makes, so that the same card has the same address, and goes on from there where that one is taken.
 */
export class Leases {
  /** Cards by their addresses, the one that was not asked for the longest first. */
  readonly #cards = new Map<string, string>()

  addressOf({ network }: Network, mac: string): string {
    const start = Number.parseInt(digest(`address ${mac}`).slice(0, 8), 16)
    const addresses = Array.from(
      { length: count },
      (_, index) => `${network.prefix}.${lowest + ((start + index) % count)}`,
    )
    const own = addresses.find(address => this.#cards.get(address) === mac)
    const free = addresses.find(address => !this.#cards.has(address))
    const oldest = [...this.#cards.keys()].find(address => addresses.includes(address))
    const address = own ?? free ?? oldest ?? ''
    this.#cards.delete(address)
    this.#cards.set(address, mac)
    return address
  }
}

interface Neighbour {
  readonly mac: string
  readonly address: string
  readonly name: string
  readonly port: number
  readonly host: string
}

/** The guests that are up, and where each is on its host's network. */
export function neighbours(hypervisor: Hypervisor, persona: Network): Neighbour[] {
  return hypervisor.list().flatMap(({ running }) => {
    const mac = running && macOf(nicsOf(running.xml)[0])
    const guest = running?.guest
    return mac === undefined || guest === undefined
      ? []
      : [
          {
            mac,
            address: hypervisor.leases.addressOf(persona, mac),
            name: guest.name,
            port: guest.port,
            host: guest.host,
          },
        ]
  })
}

/** Puts what the host's kernel and its DHCP server know of guests where administrators look for it. */
export function installNeighbours(tree: FileTree, hypervisor: Hypervisor, persona: Network): void {
  const { kind, name, leases } = persona.network
  const up = (): Neighbour[] =>
    neighbours(hypervisor, persona).filter(
      ({ mac }) => hypervisor.byMac(mac)?.running?.guest?.state === 'running',
    )
  const bridge = kind === 'bridge' ? name : 'virbr0'
  tree.installNode(
    '/proc/net/arp',
    tree.makeLive(() => {
      const rows = up().map(
        ({ address, mac }) => `${address.padEnd(16)} 0x1         0x2         ${mac}     *        ${bridge}\n`,
      )
      return `IP address       HW type     Flags       HW address            Mask     Device\n${rows.join('')}`
    }),
  )
  if (leases !== undefined) {
    tree.installNode(
      leases,
      tree.makeLive(() =>
        up()
          .map(({ address, mac }) => `${Math.floor(Date.now() / 1000) + 3600} ${mac} ${address} * *\n`)
          .join(''),
      ),
    )
  }
}
