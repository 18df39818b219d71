import { setTimeout as wait } from 'node:timers/promises'
import { InfraError } from '../../config/errors.js'
import type { Limit } from '../limit.js'
import type { CallOptions, HostCommands } from './host-commands.js'

/** An address of a guest's network card. */
export interface GuestAddress {
  /** In lower case. */
  readonly mac: string
  readonly ip: string
}

/** A MAC address with two digits for each byte. */
export const macPattern: RegExp = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i

/** Reads dnsmasq's leases: expiry, MAC, address, name and client id on a line. Other lines are passed over. */
export function parseLeases(text: string): GuestAddress[] {
  return text.split('\n').flatMap(line => {
    const [expiry = '', mac = '', ip = ''] = line.trim().split(/\s+/)
    const isLease = /^\d+$/.test(expiry) && macPattern.test(mac) && /^\d+(\.\d+){3}$/.test(ip)
    return isLease ? [{ mac: mac.toLowerCase(), ip }] : []
  })
}

/** Reads `/proc/net/arp` (proc(5)); entries whose flags are 0 are not resolved. */
export function parseArp(text: string): GuestAddress[] {
  return text.split('\n').flatMap(line => {
    const [ip = '', , flags = '', mac = ''] = line.trim().split(/\s+/)
    const isEntry = /^\d+(\.\d+){3}$/.test(ip) && /^0x[0-9a-f]+$/.test(flags) && macPattern.test(mac)
    return isEntry && Number(flags) !== 0 ? [{ mac: mac.toLowerCase(), ip }] : []
  })
}

/** What one look for addresses found. */
export interface Looked {
  readonly addresses: readonly string[]
  /** What each source said that knows no address. */
  readonly notes: readonly string[]
}

/** Whose addresses are looked for, and for how long. */
export interface AddressWait {
  /** The host, for messages. */
  readonly host: string
  /** The MAC addresses of its cards, in lower case. */
  readonly macs: readonly string[]
  readonly call: CallOptions
  /** What is left of the limit, in `ms`. */
  readonly limit: Limit
  readonly everyMs: number
}

/** The longest list that is worth trying, and the notes that are worth reading. */
const [mostAddresses, mostNotes] = [8, 4]

/**
 * Looks until an address of a guest is known, and returns all that are known then, the likeliest first. Throws
 * InfraError (`connect`) when there is none within the limit or before the signal aborts, saying what each source said.
 */
export async function waitForAddresses(look: () => Promise<Looked>, request: AddressWait): Promise<string[]> {
  const { limit, call, everyMs } = request
  const startedAt = performance.now()
  let notes: readonly string[] = []
  do {
    const looked = await look().catch((error: unknown) => {
      if (call.signal.aborted) {
        throw noAddress(request, notes)
      }
      throw error
    })
    if (looked.addresses.length > 0) {
      return looked.addresses.slice(0, mostAddresses)
    }
    notes = looked.notes
    await wait(everyMs, null, { signal: call.signal }).catch(() => {})
  } while (!call.signal.aborted && performance.now() - startedAt <= limit.ms)
  throw noAddress(request, notes)
}

function noAddress({ host, macs, call, limit }: AddressWait, notes: readonly string[]): InfraError {
  const cards = macs.join(', ') || 'none that the host knows of: name its "address" in the lab'
  const said = notes.length === 0 ? '' : `; ${notes.slice(0, mostNotes).join('; ')}`
  return new InfraError(
    `${call.where} on ${host}: no address was found for its network cards (${cards}) within the limit "${limit.name}"${said}`,
    { cause: 'network', where: call.where, code: 'connect', limit: limit.name },
  )
}

/** Looks into the host's own files: the leases of dnsmasq, and its ARP table. */
export async function lookInFiles(
  commands: HostCommands,
  { macs, call }: Pick<AddressWait, 'macs' | 'call'>,
): Promise<Looked> {
  const files = '/var/lib/libvirt/dnsmasq/*.leases /var/lib/misc/dnsmasq.leases /var/lib/dnsmasq/*.leases'
  const { stdout } = await commands.run(`cat ${files} /proc/net/arp 2>/dev/null`, call)
  const found = [...parseLeases(stdout.text), ...parseArp(stdout.text)]
  return { addresses: usableAddresses(found, macs), notes: [`${found.length} rows in leases and ARP`] }
}

/** The addresses of the cards that can be reached from outside; IPv4 before IPv6, and each once. */
export function usableAddresses(found: readonly GuestAddress[], macs: readonly string[]): string[] {
  const usable = found
    .filter(({ mac, ip }) => macs.includes(mac) && !/^(127\.|169\.254\.|0\.|fe[89ab]|::1$)/i.test(ip))
    .map(({ ip }) => ip)
  return [...new Set([...usable.filter(ip => !ip.includes(':')), ...usable.filter(ip => ip.includes(':'))])]
}
