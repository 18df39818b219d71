import {
  type AddressWait,
  type Looked,
  lookInFiles,
  usableAddresses,
  waitForAddresses,
} from '../shared/addresses.js'
import { UnknownOutput } from '../shared/unknown-output.js'
import { type Addresses, parseAddresses } from './output.js'
import { hasFeature } from './versions.js'
import type { Virsh } from './virsh.js'

/** Whose addresses are looked for, and for how long. */
export interface AddressRequest extends Omit<AddressWait, 'host'> {
  readonly domain: string
  /** The host's libvirt. */
  readonly library: string
  /** Asks every source, where the first that knows an address was asked already and its address is of no use. */
  readonly asksAll: boolean
}

/** The notes that are worth reading. */
const mostNotes = 4

/**
 * Waits until an address of a guest is known, and returns all that are known then, the likeliest first: from DHCP
 * leases, the guest's agent, the host's ARP table, in this order, and IPv4 before IPv6.
 */
export function findAddresses(virsh: Virsh, request: AddressRequest): Promise<string[]> {
  // What libvirt before 1.2.14 does not tell stands in the files that it would read.
  const look = hasFeature(request.library, 'addresses')
    ? () => askSources(virsh, request)
    : () => lookInFiles(virsh, request)
  return waitForAddresses(look, { ...request, host: virsh.host })
}

async function askSources(
  virsh: Virsh,
  { library, macs, asksAll, domain, call }: AddressRequest,
): Promise<Looked> {
  const addresses: string[] = []
  const notes: string[] = []
  for (const source of ['lease', 'agent', ...(hasFeature(library, 'arp') ? ['arp'] : [])]) {
    const answer = await virsh.ask(['domifaddr', domain, '--source', source], call)
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
