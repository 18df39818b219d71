import type { Power } from '../managed-vm/observation.js'
import type { DomainState } from '../shared/power-state.js'
import { UnknownOutput } from '../shared/unknown-output.js'
/**
 * What xl and xm say, read strictly: what is not understood is an error, never a guess. The table is the one that
 * `list_domains` of tools/xl/xl_list.c prints, and xm before it (tools/python/xen/xm/main.py).
 */

/** One line of `xl list`. */
export interface ListedDomain {
  readonly name: string
  readonly id: number
  readonly memoryMiB: number
  readonly vcpus: number
  readonly state: DomainState
}

const line = /^(\S.*?)\s+(\d+)\s+(\d+)\s+(\d+)\s+([r-][b-][p-][s-][c-][d-])\s+\d+(?:\.\d+)?\s*$/

/** Reads `xl list` or `xm list`: the domains that are there, Domain-0 among them. */
export function parseList(text: string): ListedDomain[] {
  const [heading = '', ...lines] = text.split('\n').filter(row => row.trim() !== '')
  if (!/^Name\s+ID\s+Mem(?:\(MiB\))?\s+VCPUs\s+State\s+Time\(s\)/.test(heading)) {
    throw new UnknownOutput('the list of domains', heading)
  }
  return lines.map(row => {
    const [, name, id, memory, vcpus, flags] = line.exec(row) ?? []
    if (name === undefined || flags === undefined) {
      throw new UnknownOutput('the list of domains', row)
    }
    return {
      name,
      id: Number(id),
      memoryMiB: Number(memory),
      vcpus: Number(vcpus),
      state: stateOfFlags(flags),
    }
  })
}

/** Running, blocked, paused, shut down, crashed, dying: a domain that did none of it waits for its turn. */
function stateOfFlags(flags: string): DomainState {
  if (flags.includes('c')) {
    return 'crashed'
  }
  if (flags.includes('s') || flags.includes('d')) {
    return 'in shutdown'
  }
  if (flags.includes('p')) {
    return 'paused'
  }
  return flags.includes('r') ? 'running' : 'idle'
}

const powers: Readonly<Record<DomainState, Power>> = {
  'no state': 'on',
  running: 'on',
  idle: 'on',
  paused: 'paused',
  // One that reboots goes down as well: xl makes it anew then.
  'in shutdown': 'ending',
  'shut off': 'off',
  crashed: 'crashed',
  pmsuspended: 'on',
}

/** A state of a domain as `xl list` has it. */
export function powerOfState(state: DomainState): Power {
  return powers[state]
}

/** Reads `xl info` or `xm info`: `key : value`, one a line. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const row of text.split('\n').filter(row => row.trim() !== '')) {
    const [, key, value] = /^([a-z_0-9]+)\s*:\s*(.*?)\s*$/.exec(row) ?? []
    // A value of several lines goes on under an empty key.
    if (key !== undefined && value !== undefined) {
      found.set(key, value)
    }
  }
  if (!found.has('xen_major') || !found.has('xen_minor')) {
    throw new UnknownOutput('what Xen says of itself', text.trim())
  }
  return found
}

/** Reads `xl block-list`: the numbers by which Xen knows the disks, those of {@link vdevNumber}. */
export function parseBlockList(text: string): number[] {
  return rowsOf(text, /^Vdev\s+BE\s/, 'the list of disks').map(([vdev]) => Number(vdev))
}

/** Reads `xl network-list`: the cards' MAC addresses, in lower case. */
export function parseNetworkList(text: string): string[] {
  return rowsOf(text, /^Idx\s+BE\s+Mac Addr\.\s/i, 'the list of cards').map(
    ([, , mac]) => mac?.toLowerCase() ?? '',
  )
}

/** A table whose lines begin with a number. A domain that has none of what is listed may have no heading either. */
function rowsOf(text: string, heading: RegExp, what: string): string[][] {
  const [first, ...lines] = text.split('\n').filter(row => row.trim() !== '')
  if (first !== undefined && !heading.test(first)) {
    throw new UnknownOutput(what, first)
  }
  return lines.map(row => {
    if (!/^\s*\d+\s/.test(row)) {
      throw new UnknownOutput(what, row)
    }
    return row.trim().split(/\s+/)
  })
}

/** Why a domain ended, as the last line of its log says: the codes of xen/include/public/sched.h. */
export type EndReason = 'poweroff' | 'reboot' | 'suspend' | 'crash' | 'watchdog' | 'soft reset'

const reasons: readonly EndReason[] = ['poweroff', 'reboot', 'suspend', 'crash', 'watchdog', 'soft reset']

/** Reads the log of the xl that watches over a domain; `null` when it does not say why the domain ended. */
export function parseEnd(log: string): EndReason | null {
  const ends = [...log.matchAll(/^Domain \d+ has shut down, reason code (\d+)/gm)]
  return reasons[Number(ends.at(-1)?.[1] ?? Number.NaN)] ?? null
}
