/**
 * What virsh and the host's own files say, read strictly: what is not understood is an error, never a
 * guess. Formats are those that virsh prints in the C locale, from libvirt 0.3 to 10; where the formats
 * come from stands in output.test.ts, beside each text.
 */
import { type GuestAddress, macPattern } from '../shared/addresses.js'
import type { DomainState } from '../shared/power-state.js'
import { UnknownOutput } from '../shared/unknown-output.js'

/** `blocked` and `dying` are what libvirt before 0.8 and Xen's driver say. */
const states: Readonly<Record<string, DomainState>> = {
  'no state': 'no state',
  running: 'running',
  idle: 'idle',
  blocked: 'idle',
  paused: 'paused',
  'in shutdown': 'in shutdown',
  dying: 'in shutdown',
  'shut off': 'shut off',
  crashed: 'crashed',
  pmsuspended: 'pmsuspended',
}

/** A domain's state and, from libvirt 0.9.2 on, why it is in it. */
export interface StateAnswer {
  readonly state: DomainState
  readonly reason: string | null
}

/** Reads `virsh domstate DOMAIN [--reason]`. */
export function parseState(text: string): StateAnswer {
  const [line = '', ...more] = linesOf(text)
  const [, word = '', reason = null] = /^([a-z ]+?)(?: \((.+)\))?$/.exec(line) ?? []
  const state = states[word]
  if (state === undefined || more.length > 0) {
    throw new UnknownOutput('the state of a domain', text.trim())
  }
  return { state, reason }
}

const stateWords = Object.keys(states).join('|')
const row = new RegExp(`^\\s*(-|\\d+)\\s+(\\S|\\S.*\\S)\\s+(${stateWords})$`)

/** One row of a list of domains. */
export interface ListedDomain {
  readonly state: DomainState
  /** Another one after each start; `null` of a domain that does not run. */
  readonly id: string | null
}

/** Reads `virsh list --all`: each domain by its name. */
export function parseList(text: string): Map<string, ListedDomain> {
  const [heading = '', rule = '', ...rows] = linesOf(text)
  if (!/^\s*Id\s+Name\s+State\s*$/.test(heading) || !/^-+$/.test(rule)) {
    throw new UnknownOutput('the list of domains', heading)
  }
  const found = new Map<string, ListedDomain>()
  for (const line of rows) {
    const [, id, name, word = ''] = row.exec(line.trimEnd()) ?? []
    const state = states[word]
    if (id === undefined || name === undefined || state === undefined) {
      throw new UnknownOutput('the list of domains', line)
    }
    found.set(name, { state, id: id === '-' ? null : id })
  }
  return found
}

/** The versions that a host's virsh tells. */
export interface Versions {
  /** Of libvirt, such as `9.0.0`. */
  readonly library: string
  /** The driver's name: `QEMU`, `Xen`. */
  readonly api: string
  /** Such as `QEMU 7.2.22`; `null` where libvirt cannot find it out. */
  readonly hypervisor: string | null
}

/** Reads `virsh version`. */
export function parseVersions(text: string): Versions {
  const lines = linesOf(text)
  const match = (pattern: RegExp): string | null =>
    lines.map(line => pattern.exec(line)?.[1] ?? null).find(found => found !== null) ?? null
  // The library was called libvir until 0.9.
  const library = match(/^Using library: libvir(?:t)? (\d+(?:\.\d+)+)$/)
  const api = match(/^Using API: (\S+) \d+(?:\.\d+)+$/)
  if (library === null || api === null) {
    throw new UnknownOutput('the version', text.trim())
  }
  return { library, api, hypervisor: match(/^Running hypervisor: (\S+ \d+(?:\.\d+)+)$/) }
}

/** What a host has to give. */
export interface NodeInfo {
  readonly model: string
  readonly cpus: number
  readonly memoryBytes: number
}

/** Reads `virsh nodeinfo`; its `kB` of old are KiB, too. */
export function parseNodeInfo(text: string): NodeInfo {
  const fields = new Map(
    linesOf(text).map(line => {
      const [, key, value] = /^([^:]+):\s+(.+)$/.exec(line) ?? []
      if (key === undefined || value === undefined) {
        throw new UnknownOutput('what the host has', line)
      }
      return [key, value.trim()] as const
    }),
  )
  const model = fields.get('CPU model')
  const cpus = /^\d+$/.exec(fields.get('CPU(s)') ?? '')?.[0]
  const kib = /^(\d+) (?:kB|KiB)$/.exec(fields.get('Memory size') ?? '')?.[1]
  if (model === undefined || cpus === undefined || kib === undefined) {
    throw new UnknownOutput('what the host has', text.trim())
  }
  return { model, cpus: Number(cpus), memoryBytes: Number(kib) * 1024 }
}

/** What a running domain has of its vCPUs and memory. */
export interface DomainInfo {
  readonly vcpus: number
  readonly memoryBytes: number
}

/** Reads `virsh dominfo`; its `kB` of old are KiB, too. */
export function parseDomainInfo(text: string): DomainInfo {
  const field = (name: string, unit: string): number => {
    const lines = linesOf(text).map(line => new RegExp(`^${name}:\\s+(\\d+)${unit}$`).exec(line)?.[1])
    return Number(lines.find(value => value !== undefined) ?? Number.NaN)
  }
  const [vcpus, kib] = [field('CPU\\(s\\)', ''), field('Used memory', ' (?:kB|KiB)')]
  if (Number.isNaN(vcpus) || Number.isNaN(kib)) {
    throw new UnknownOutput('what a domain has', text.trim())
  }
  return { vcpus, memoryBytes: kib * 1024 }
}

/** What a list of addresses holds, and the rows that could not be read. */
export interface Addresses {
  readonly found: readonly GuestAddress[]
  readonly unread: readonly string[]
}

const addressRow =
  /^\s*(\S|\S.*\S)\s+([0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}|-|N\/A)\s+(ipv4|ipv6|N\/A)\s+(?:N\/A|([0-9a-f.:]+)(%[^\s/]+)?(?:\/\d+)?)$/i

/**
 * Reads `virsh domifaddr`; a second address of one card has dashes for its name and MAC. Names are the guest's own and
 * may hold anything: a row that is not understood is passed over.
 */
export function parseAddresses(text: string): Addresses {
  const [heading = '', rule = '', ...rows] = linesOf(text)
  if (!/^\s*Name\s+MAC address\s+Protocol\s+Address\s*$/.test(heading) || !/^-+$/.test(rule)) {
    throw new UnknownOutput('the list of addresses', heading)
  }
  const found: GuestAddress[] = []
  const unread: string[] = []
  let last: string | null = null
  for (const line of rows) {
    const [, , written, protocol, ip, scope] = addressRow.exec(line.trimEnd()) ?? []
    if (written === undefined || protocol === undefined) {
      unread.push(line.trim())
      last = null
      continue
    }
    last = written === '-' ? last : macOf(written)
    // A scope is a card of the guest's, and says nothing here.
    if (last !== null && ip !== undefined && scope === undefined) {
      found.push({ mac: last, ip })
    }
  }
  return { found, unread }
}

/** In lower case and with two digits for each byte; `null` for none. */
function macOf(written: string): string | null {
  const mac = written
    .split(':')
    .map(byte => byte.padStart(2, '0'))
    .join(':')
    .toLowerCase()
  return macPattern.test(mac) ? mac : null
}

/** The lines that say something. Some builds of virsh first tell which hypervisor they connect to. */
function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map(line => line.trimEnd())
    .filter(line => line !== '' && !line.startsWith('Connecting to uri: '))
}
