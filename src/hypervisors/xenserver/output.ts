import type { Power } from '../managed-vm/observation.js'
import { UnknownOutput } from '../shared/unknown-output.js'

/**
 * What xe prints, read strictly. The form of records is that of `pp_record` in xapi's
 * ocaml/xapi-cli-server/cli_printer.ml, of maps and sets that of records.ml.
 */

/** One object of the pool: its fields by name. */
export type XeRecord = ReadonlyMap<string, string>

const field = /^ *([A-Za-z][\w-]*) \( ?[SM]?R[OW]\)(?: \[DEPRECATED\])? *: ?(.*)$/

/** Reads the records of a `…-list`. The first field of each must be the one that was asked for first. */
export function parseRecords(text: string, first = 'uuid'): XeRecord[] {
  const records: Map<string, string>[] = []
  let last = ''
  for (const line of text.split('\n')) {
    const [, name, value = ''] = field.exec(line) ?? []
    const record = records.at(-1)
    if (name === first) {
      records.push(new Map([[name, value]]))
      last = name
    } else if (name !== undefined && record !== undefined) {
      record.set(name, value)
      last = name
    } else if (line.trim() !== '') {
      if (record === undefined) {
        throw new UnknownOutput('what xe lists', line)
      }
      // A description may have several lines.
      record.set(last, `${record.get(last)}\n${line}`)
    }
  }
  return records
}

/** Reads a map as xe prints it: `key: value; key: value`. */
export function parseMap(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('; ').flatMap(pair => {
    const at = pair.indexOf(': ')
    return at < 0 ? [] : [[pair.slice(0, at).trim(), pair.slice(at + 2).trim()] as const]
  })
  return new Map(pairs)
}

/** A field of a record; throws UnknownOutput when it is not there. */
export function fieldOf(record: XeRecord, name: string): string {
  const value = record.get(name)
  if (value === undefined) {
    throw new UnknownOutput(`what xe lists without "${name}"`, [...record.keys()].join(', '))
  }
  return value
}

/** A number of a record; `null` where xe says that it knows none, as of a machine that does not run. */
export function numberOf(record: XeRecord, name: string): number | null {
  const value = fieldOf(record, name)
  return /^\d+$/.test(value) ? Number(value) : null
}

/** A UUID that xe printed by itself. Throws UnknownOutput. */
export function parseUuid(text: string): string {
  const uuid = text.trim()
  if (!uuidPattern.test(uuid)) {
    throw new UnknownOutput('what should be a UUID', uuid)
  }
  return uuid
}

export const uuidPattern: RegExp = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const powers: Readonly<Record<string, Power>> = {
  running: 'on',
  paused: 'paused',
  halted: 'off',
  // Its memory lies on a disk: nothing of it runs.
  suspended: 'off',
}

/** What a machine does, by its `power-state`. */
export function powerOf(state: string): Power {
  const power = powers[state]
  if (power === undefined) {
    throw new UnknownOutput('the state of a virtual machine', state)
  }
  return power
}

/** The addresses in a machine's `networks` that can be reached from outside; IPv4 before IPv6, and each once. */
export function addressesIn(networks: string): string[] {
  const found = [...parseMap(networks)]
    .filter(([key]) => /^\d+\/(?:ip|ipv4\/\d+|ipv6\/\d+)$/.test(key))
    .map(([, ip]) => ip)
    .filter(ip => /^[0-9a-f.:]+$/i.test(ip) && !/^(?:127\.|169\.254\.|0\.|fe[89ab]|::1$)/i.test(ip))
  return [...new Set([...found.filter(ip => !ip.includes(':')), ...found.filter(ip => ip.includes(':'))])]
}
