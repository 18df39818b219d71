import type { FileTree } from '../files/tree.js'
import type { ManagedHostPersona } from '../persona/schema.js'
import { digest, macOf, nicsOf } from './domain.js'
import type { Hypervisor } from './hypervisor.js'

/** What guests stand in. */
type Network = Pick<ManagedHostPersona, 'network'>

const [lowest, count] = [100, 150]

/** The address that a card gets, the same for the same card. */
export function addressOf({ network }: Network, mac: string | undefined): string | undefined {
  if (mac === undefined) return undefined
  const number = Number.parseInt(digest(`address ${mac}`).slice(0, 8), 16)
  return `${network.prefix}.${lowest + (number % count)}`
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
    const address = addressOf(persona, mac)
    const guest = running?.guest
    return mac === undefined || address === undefined || guest === undefined
      ? []
      : [{ mac, address, name: guest.name, port: guest.port, host: guest.host }]
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
