import { fromText, toText } from '../files/bytes.js'
import type { ManagedHostPersona } from '../persona/schema.js'
import { writeTo } from '../programs/io.js'
import type { Call, Program } from '../system/programs.js'
import { memoryKiB } from './domain.js'
import type { Hypervisor } from './hypervisor.js'
import { Trouble } from './trouble.js'
import { nameOf, type Vm, xmlOf } from './vm.js'
import { text } from './xml.js'

/** How xm (Python, over xend) and xl (C, over libxl) differ where they say the same. */
interface Dialect {
  readonly tool: 'xm' | 'xl'
  readonly heading: string
  unknown(verb: string): string
  noDomain(word: string): string
}

const dialects: Readonly<Record<Dialect['tool'], Dialect>> = {
  xm: {
    tool: 'xm',
    heading: 'Name                                      ID Mem(MiB) VCPUs State   Time(s)',
    unknown: verb => `Error: Sub Command ${verb} not found!\n`,
    noDomain: word => `Error: Domain '${word}' does not exist.\n`,
  },
  xl: {
    tool: 'xl',
    heading: 'Name                                        ID   Mem VCPUs\tState\tTime(s)',
    unknown: () => 'command not implemented\n',
    noDomain: word => `${word} is an invalid domain identifier (rc=-6)\n`,
  },
}

interface XenHost {
  readonly hypervisor: Hypervisor
  readonly persona: ManagedHostPersona
  readonly slowMs: number
}

/** xm or xl, as far as listing and ending domains go. Domains that are defined and off are libvirt's and xend's. */
export function xenProgram(tool: Dialect['tool'], host: XenHost): Program {
  const dialect = dialects[tool]
  return async call => {
    if (host.slowMs > 0) await call.process.sleep(host.slowMs)
    const [verb = '', ...words] = call.args.map(toText)
    if (verb === 'list') return list(call, dialect, host, words)
    if (verb === 'info') return info(call, host)
    const work = deeds[verb]
    if (!work) {
      await writeTo(call.process, 2, dialect.unknown(verb))
      return 1
    }
    try {
      const vm = find(host.hypervisor, dialect, words[0] ?? '')
      if (vm) await work(host.hypervisor, vm)
      return vm ? 0 : await refuse(call, dialect, words[0] ?? '')
    } catch (error) {
      if (!(error instanceof Trouble)) throw error
      await writeTo(call.process, 2, fromText(`Error: ${error.message}\n`))
      return 1
    }
  }
}

const deeds: Readonly<Record<string, (hypervisor: Hypervisor, vm: Vm) => Promise<void> | void>> = {
  destroy: (hypervisor, vm) => hypervisor.destroy(vm),
  shutdown: (hypervisor, vm) => hypervisor.shutdown(vm),
  reboot: (hypervisor, vm) => hypervisor.reboot(vm),
  pause: (hypervisor, vm) => hypervisor.suspend(vm),
  unpause: (hypervisor, vm) => hypervisor.resume(vm),
}

async function refuse(call: Call, { noDomain }: Dialect, word: string): Promise<number> {
  await writeTo(call.process, 2, fromText(noDomain(word)))
  return 1
}

function find(hypervisor: Hypervisor, { tool }: Dialect, word: string): Vm | undefined {
  return hypervisor
    .list()
    .filter(vm => vm.running || tool === 'xm')
    .find(vm => nameOf(vm) === word || String(vm.running?.id) === word)
}

async function list(call: Call, dialect: Dialect, host: XenHost, words: readonly string[]): Promise<number> {
  const { hypervisor, persona } = host
  const named = words.filter(word => !word.startsWith('-'))
  for (const word of named) {
    if (word !== 'Domain-0' && !find(hypervisor, dialect, word)) return refuse(call, dialect, word)
  }
  const { cells, sockets, cores, threads, memoryKiB: nodeKiB } = persona.node
  const cpus = cells * sockets * cores * threads
  const free = nodeKiB - hypervisor.load.now.memoryBytes / 1024
  const up = call.system.clock.uptimeNs() / 1_000_000_000n
  const rows = [
    row(dialect, 'Domain-0', 0, free, cpus, 'r-----', Number(up)),
    ...hypervisor
      .list()
      // xend keeps what is off and lists it, without an id.
      .filter(vm => vm.running || dialect.tool === 'xm')
      .map(vm => {
        const seconds = vm.running ? (Date.now() - vm.running.startedMs) / 1000 : 0
        const vcpus = Number(text(xmlOf(vm), 'vcpu') ?? 1)
        return row(dialect, nameOf(vm), vm.running?.id, memoryKiB(xmlOf(vm)), vcpus, flags(vm), seconds)
      }),
  ]
  const shown = named.length === 0 ? rows : rows.filter(line => named.includes(line.split(/\s+/)[0] ?? ''))
  await writeTo(call.process, 1, fromText(`${[dialect.heading, ...shown].join('\n')}\n`))
  return 0
}

function row(
  { tool }: Dialect,
  name: string,
  id: number | undefined,
  kib: number,
  vcpus: number,
  state: string,
  seconds: number,
): string {
  const memory = String(Math.round(kib / 1024))
  const time = seconds.toFixed(1)
  return tool === 'xm'
    ? `${name.padEnd(40)} ${String(id ?? '').padStart(3)} ${memory.padStart(8)} ${String(vcpus).padStart(5)} ${state.padEnd(6)} ${time.padStart(8)}`
    : `${name.padEnd(40)} ${String(id ?? '').padStart(5)} ${memory.padStart(5)} ${String(vcpus).padStart(5)}     ${state}  ${time.padStart(6)}`
}

/** Running, blocked, paused, shutdown, crashed, dying: a letter each at its place. */
function flags({ state, running }: Vm): string {
  if (!running) return ''
  const letters: Readonly<Record<string, string>> = {
    running: '-b----',
    paused: '--p---',
    'in shutdown': '---s--',
    crashed: '----c-',
  }
  return letters[state] ?? '------'
}

async function info(call: Call, { persona, hypervisor }: XenHost): Promise<number> {
  const { node, libvirt } = persona
  const [major = '', minor = ''] = libvirt.hypervisor.replace(/^Xen /, '').split('.')
  const cpus = node.cells * node.sockets * node.cores * node.threads
  const fields: readonly (readonly [string, string])[] = [
    ['host', call.system.uname.nodename],
    ['release', call.system.uname.release],
    ['version', call.system.uname.version],
    ['machine', call.system.uname.machine],
    ['nr_cpus', String(cpus)],
    ['cores_per_socket', String(node.cores)],
    ['threads_per_core', String(node.threads)],
    ['cpu_mhz', String(node.mhz)],
    ['total_memory', String(Math.floor(node.memoryKiB / 1024))],
    ['free_memory', String(Math.floor((node.memoryKiB - hypervisor.load.now.memoryBytes / 1024) / 1024))],
    ['xen_major', major],
    ['xen_minor', minor],
    ['xen_caps', persona.hypervisor.directory['properties/capabilities'] ?? ''],
  ]
  const lines = fields.map(([name, value]) => `${name.padEnd(22)} : ${value}\n`)
  await writeTo(call.process, 1, fromText(lines.join('')))
  return 0
}
