import type { Power } from '../managed-vm/observation.js'
import { UnknownOutput } from '../shared/unknown-output.js'
import { at, type DumpValue, listAt, numberAt, parseDump, textAt } from './dump.js'

/** A machine as `vmsvc/getallvms` lists it. */
export interface MachineRow {
  /** Another one after each registration. */
  readonly id: string
  readonly name: string
  readonly datastore: string
  /** The path of its configuration in the datastore, which is what it is known by. */
  readonly file: string
}

/** `[datastore] folder/file.vmx` */
export function fileOf({ datastore, file }: Pick<MachineRow, 'datastore' | 'file'>): string {
  return `[${datastore}] ${file}`
}

const machine = /^(\d+)\s+(\S.*?)\s+\[([^\]]+)\] ([^[\]]+\.vmx)\s+\S*Guest\S*\s+vmx-\d+/

/** Reads the list of machines. Annotations run over several lines, and are passed over. Throws UnknownOutput. */
export function parseMachines(text: string): MachineRow[] {
  if (!/^Vmid\s+Name\s+File/m.test(text)) {
    throw new UnknownOutput('the list of virtual machines', text.trim())
  }
  return text.split(/\r?\n/).flatMap(line => {
    const [, id, name = '', datastore = '', file = ''] = machine.exec(line) ?? []
    return id === undefined ? [] : [{ id, name, datastore, file }]
  })
}

/** A machine that runs, as `esxcli vm process list` has it. */
export interface World {
  readonly id: string
  /** The path of its configuration, without links. */
  readonly config: string
}

/** Reads the machines that run. */
export function parseWorlds(text: string): World[] {
  return text.split(/\n\s*\n|\n(?=\S)/).flatMap(block => {
    const id = /^ +World ID: (\d+)\s*$/m.exec(block)?.[1]
    const config = /^ +Config File: (.+?)\s*$/m.exec(block)?.[1]
    return id === undefined || config === undefined ? [] : [{ id, config }]
  })
}

const powers: Readonly<Record<string, Power>> = { poweredOn: 'on', poweredOff: 'off', suspended: 'paused' }

/** What `vmsvc/get.summary` says of a machine. */
export interface Summary {
  /** `[datastore] folder/file.vmx` */
  readonly path: string
  readonly power: Power
  readonly said: string
  /** True while it waits for a person to answer. */
  readonly asks: boolean
}

export function parseSummary(text: string): Summary {
  const dump = parseDump(text)
  const said = textAt(dump, 'runtime', 'powerState')
  const power = powers[said]
  if (power === undefined) {
    throw new UnknownOutput('the state of a virtual machine', said)
  }
  const question = at(dump, 'runtime', 'question')
  return { path: textAt(dump, 'config', 'vmPathName'), power, said, asks: question instanceof Map }
}

/** Reads `vmsvc/message`: what a machine asks; `null` for nothing. */
export function parseQuestion(text: string): string | null {
  return /^No message\.?\s*$/m.test(text) ? null : text.trim().replace(/\s*\n\s*/g, ' ')
}

/** The addresses of a guest that can be reached from outside; IPv4 before IPv6, and each once. */
export function addressesIn(text: string): string[] {
  const guest = parseDump(text)
  const cards = listAt(guest, 'net').flatMap(card => listAt(card, 'ipAddress'))
  const found = [at(guest, 'ipAddress'), ...cards].filter(
    (ip): ip is string =>
      typeof ip === 'string' &&
      /^[0-9a-f.:]+$/i.test(ip) &&
      !/^(?:127\.|169\.254\.|0\.|fe[89ab]|::1$)/i.test(ip),
  )
  return [...new Set([...found.filter(ip => !ip.includes(':')), ...found.filter(ip => ip.includes(':'))])]
}

/** A snapshot of a machine. */
export interface Snapshot {
  readonly id: string
  readonly name: string
  readonly madeAt: string
}

/** Reads the tree of `vmsvc/snapshot.get`, parents before their children. "Desciption" is spelt so. */
export function parseSnapshots(text: string): Snapshot[] {
  if (!/^Get Snapshot:/m.test(text)) {
    throw new UnknownOutput('the snapshots of a virtual machine', text.trim())
  }
  return text
    .split(/^-*\|-(?:ROOT|CHILD).*$/m)
    .slice(1)
    .map(part => {
      const field = (name: string): string | undefined =>
        new RegExp(`^-+Snapshot ${name} *: ?(.*?)\\r?$`, 'm').exec(part)?.[1]
      const [id, name] = [field('Id'), field('Name')]
      if (id === undefined || name === undefined) {
        throw new UnknownOutput('a snapshot without name and id', part.trim())
      }
      return { id, name, madeAt: field('Created On') ?? '' }
    })
}

/** The tasks of a machine, the newest last. */
export function parseTasks(text: string): string[] {
  const list = parseDump(text)
  const items = Array.isArray(list) ? (list as readonly DumpValue[]) : []
  return items.flatMap(item => (typeof item === 'string' ? [item.replace(/^vim\.Task:/, '')] : []))
}

/** What became of a task. */
export interface TaskState {
  readonly state: string
  /** What it failed with. */
  readonly why: string | null
}

export function parseTask(text: string): TaskState {
  const dump = parseDump(text)
  const state = textAt(dump, 'state')
  const why = at(dump, 'error', 'msg')
  return { state, why: typeof why === 'string' ? why : state === 'error' ? 'it does not say why' : null }
}

/** What a host is, as `hostsvc/hostsummary` has it. */
export interface HostSummary {
  readonly machine: string
  readonly cpu: string
  readonly cpus: number
  readonly memoryBytes: number
  /** `null` where it does not say. */
  readonly freeBytes: number | null
  readonly inMaintenance: boolean
}

export function parseHost(text: string): HostSummary {
  const dump = parseDump(text)
  const hardware = at(dump, 'hardware') ?? null
  const memoryBytes = numberAt(hardware, 'memorySize') ?? 0
  const usedMib = numberAt(dump, 'quickStats', 'overallMemoryUsage')
  const words = ['vendor', 'model'].map(name => at(hardware, name))
  return {
    machine: words.filter(word => typeof word === 'string').join(' '),
    cpu: textAt(hardware, 'cpuModel').replace(/\s+/g, ' ').trim(),
    cpus: numberAt(hardware, 'numCpuThreads') ?? numberAt(hardware, 'numCpuCores') ?? 0,
    memoryBytes,
    freeBytes: usedMib === null ? null : memoryBytes - usedMib * 2 ** 20,
    inMaintenance: at(dump, 'runtime', 'inMaintenanceMode') === true,
  }
}

/** Reads `esxcli system version get`: fields by name. */
export function parseFields(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap(line => {
      const [, name, value = ''] = /^\s+([A-Z][\w ]*?): (.*?)\s*$/.exec(line) ?? []
      return name === undefined ? [] : [[name, value]]
    }),
  )
}

/** Reads what `esxcli --formatter=csv` prints: each line ends with a comma. */
export function parseTable(text: string): ReadonlyMap<string, string>[] {
  const [head = '', ...rows] = text.split(/\r?\n/).filter(line => line.trim() !== '')
  const names = cells(head)
  return rows.map(row => new Map(cells(row).map((cell, index) => [names[index] ?? '', cell])))
}

function cells(line: string): string[] {
  return (line.match(/(?:"(?:[^"]|"")*"|[^,]*),/g) ?? []).map(cell =>
    cell
      .slice(0, -1)
      .replace(/^"(.*)"$/, '$1')
      .replaceAll('""', '"'),
  )
}
