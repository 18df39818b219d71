import { setInterval } from 'node:timers/promises'
import { InfraError } from '../../config/errors.js'
import type { Limit } from '../limit.js'
import { type GuestAddress, parseAddresses, parseArp, parseLeases } from './output.js'
import { hasFeature } from './versions.js'
import { type CallOptions, read, type Virsh } from './virsh.js'

/** Whose address is looked for, and for how long. */
export interface AddressRequest {
  readonly domain: string
  /** The MAC addresses of its cards, in lower case. */
  readonly macs: readonly string[]
  /** The host's libvirt. */
  readonly library: string
  readonly call: CallOptions
  readonly limit: Limit
  readonly everyMs: number
}

/**
 * Waits until a guest's address is known: from DHCP leases, the guest's agent, the host's ARP table, in this
 * order. Throws InfraError (`limit`).
 */
export async function findAddress(virsh: Virsh, request: AddressRequest): Promise<string> {
  const { limit, call, everyMs } = request
  const startedAt = performance.now()
  const first = await lookOnce(virsh, request)
  if (first !== null) {
    return first
  }
  for await (const _ of setInterval(everyMs, null, { signal: call.signal })) {
    const found = await lookOnce(virsh, request)
    if (found !== null) {
      return found
    }
    if (performance.now() - startedAt > limit.ms) {
      break
    }
  }
  const cards = request.macs.join(', ') || 'none that libvirt knows of: name its "address" in the lab'
  const message = `${call.where} on ${virsh.host}: no address within ${limit.name} (${limit.ms} ms) for its network cards (${cards})`
  throw new InfraError(message, { cause: 'guest', where: call.where, code: 'limit', limit: limit.name })
}

async function lookOnce(virsh: Virsh, request: AddressRequest): Promise<string | null> {
  const { library, macs } = request
  if (!hasFeature(library, 'addresses')) {
    return chooseAddress(await fromFiles(virsh, request), macs)
  }
  const sources = ['lease', 'agent', ...(hasFeature(library, 'arp') ? ['arp'] : [])]
  for (const source of sources) {
    const answer = await virsh.ask(['domifaddr', request.domain, '--source', source], request.call)
    // Without a lease, an agent or an entry virsh says so and fails: the next source may know more.
    const found = answer.code === 0 ? read(parseAddresses, answer.stdout.text, virsh.host) : []
    const chosen = chooseAddress(found, macs)
    if (chosen !== null) {
      return chosen
    }
  }
  return null
}

/** What libvirt before 1.2.14 does not tell stands in the files that it would read. */
async function fromFiles(virsh: Virsh, { call }: AddressRequest): Promise<GuestAddress[]> {
  const files = '/var/lib/libvirt/dnsmasq/*.leases /var/lib/misc/dnsmasq.leases /var/lib/dnsmasq/*.leases'
  const { stdout } = await virsh.shell(`cat ${files} /proc/net/arp 2>/dev/null`, call)
  return [...parseLeases(stdout.text), ...parseArp(stdout.text)]
}

/** The first address of one of the cards that can be reached from outside; IPv4 before IPv6. */
export function chooseAddress(found: readonly GuestAddress[], macs: readonly string[]): string | null {
  const usable = found.filter(
    ({ mac, ip }) => macs.includes(mac) && !/^(127\.|169\.254\.|0\.|fe[89ab]|::1$)/i.test(ip),
  )
  return (usable.find(({ ip }) => !ip.includes(':')) ?? usable[0])?.ip ?? null
}
