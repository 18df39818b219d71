import { setTimeout as wait } from 'node:timers/promises'
import { InfraError } from '../../config/errors.js'
import type { Limit } from '../limit.js'
import {
  type Addresses,
  type GuestAddress,
  parseAddresses,
  parseArp,
  parseLeases,
  UnknownOutput,
} from './output.js'
import { hasFeature } from './versions.js'
import type { CallOptions, Virsh } from './virsh.js'

/** Whose addresses are looked for, and for how long. */
export interface AddressRequest {
  readonly domain: string
  /** The MAC addresses of its cards, in lower case. */
  readonly macs: readonly string[]
  /** The host's libvirt. */
  readonly library: string
  readonly call: CallOptions
  readonly limit: Limit
  readonly everyMs: number
  /** Asks every source, where the first that knows an address was asked already and its address is of no use. */
  readonly asksAll: boolean
}

/** The longest list that is worth trying, and the notes that are worth reading. */
const [mostAddresses, mostNotes] = [8, 4]

/**
 * Waits until an address of a guest is known, and returns all that are known then, the likeliest first: from DHCP
 * leases, the guest's agent, the host's ARP table, in this order, and IPv4 before IPv6. Throws InfraError (`connect`)
 * when there is none within the limit or before the signal aborts, saying what each source said.
 */
export async function findAddresses(virsh: Virsh, request: AddressRequest): Promise<string[]> {
  const { limit, call, everyMs } = request
  const startedAt = performance.now()
  let notes: readonly string[] = []
  do {
    const looked = await lookOnce(virsh, request).catch((error: unknown) => {
      if (call.signal.aborted) {
        throw noAddress(virsh, request, notes)
      }
      throw error
    })
    if (looked.addresses.length > 0) {
      return looked.addresses.slice(0, mostAddresses)
    }
    notes = looked.notes
    await wait(everyMs, null, { signal: call.signal }).catch(() => {})
  } while (!call.signal.aborted && performance.now() - startedAt <= limit.ms)
  throw noAddress(virsh, request, notes)
}

function noAddress(
  virsh: Virsh,
  { macs, call, limit }: AddressRequest,
  notes: readonly string[],
): InfraError {
  const cards = macs.join(', ') || 'none that libvirt knows of: name its "address" in the lab'
  const said = notes.length === 0 ? '' : `; ${notes.slice(0, mostNotes).join('; ')}`
  return new InfraError(
    `${call.where} on ${virsh.host}: no address was found for its network cards (${cards}) within the limit "${limit.name}"${said}`,
    { cause: 'network', where: call.where, code: 'connect', limit: limit.name },
  )
}

interface Looked {
  readonly addresses: readonly string[]
  /** What each source said that knows no address. */
  readonly notes: readonly string[]
}

async function lookOnce(virsh: Virsh, request: AddressRequest): Promise<Looked> {
  const { library, macs, asksAll } = request
  if (!hasFeature(library, 'addresses')) {
    const found = await fromFiles(virsh, request)
    return { addresses: usableAddresses(found, macs), notes: [`${found.length} rows in leases and ARP`] }
  }
  const addresses: string[] = []
  const notes: string[] = []
  for (const source of ['lease', 'agent', ...(hasFeature(library, 'arp') ? ['arp'] : [])]) {
    const answer = await virsh.ask(['domifaddr', request.domain, '--source', source], request.call)
    // Without a lease, an agent or an entry virsh says so and fails: the next source may know more.
    const { found, unread } =
      answer.code === 0 ? readAddresses(answer.stdout.text) : { found: [], unread: [lastLine(answer.stderr)] }
    const usable = usableAddresses(found, macs)
    addresses.push(...usable.filter(ip => !addresses.includes(ip)))
    if (addresses.length > 0 && !asksAll) {
      break
    }
    const others = found.map(({ mac, ip }) => `${ip} of ${mac}`).slice(0, mostNotes)
    const said = [
      ...others,
      ...unread
        .filter(Boolean)
        .slice(0, mostNotes)
        .map(row => `"${row.slice(0, 120)}"`),
    ]
    notes.push(...(usable.length > 0 ? [] : [`${source}: ${said.join(', ') || 'nothing'}`]))
  }
  return { addresses, notes }
}

/** A list of another form is one row that is not understood: other sources may know. */
function readAddresses(text: string): Addresses {
  try {
    return parseAddresses(text)
  } catch (error) {
    if (error instanceof UnknownOutput) {
      return { found: [], unread: [error.message] }
    }
    throw error
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

/** What libvirt before 1.2.14 does not tell stands in the files that it would read. */
async function fromFiles(virsh: Virsh, { call }: AddressRequest): Promise<GuestAddress[]> {
  const files = '/var/lib/libvirt/dnsmasq/*.leases /var/lib/misc/dnsmasq.leases /var/lib/dnsmasq/*.leases'
  const { stdout } = await virsh.shell(`cat ${files} /proc/net/arp 2>/dev/null`, call)
  return [...parseLeases(stdout.text), ...parseArp(stdout.text)]
}

/** The addresses of the cards that can be reached from outside; IPv4 before IPv6, and each once. */
export function usableAddresses(found: readonly GuestAddress[], macs: readonly string[]): string[] {
  const usable = found
    .filter(({ mac, ip }) => macs.includes(mac) && !/^(127\.|169\.254\.|0\.|fe[89ab]|::1$)/i.test(ip))
    .map(({ ip }) => ip)
  return [...new Set([...usable.filter(ip => !ip.includes(':')), ...usable.filter(ip => ip.includes(':'))])]
}
