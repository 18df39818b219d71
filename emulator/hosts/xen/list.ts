import { currentKiB, vcpusOf } from '../domain.js'
import { nameOf, uuidOf, type Vm, xmlOf } from '../vm.js'
import { detailsOf, dom0Details, writeJson } from './details.js'
import { dom0, Ended, find, type Session, say, tell, type Verb, type XenHost } from './session.js'
import { usageOf } from './usage.js'

/** One line of a list of domains. */
interface Row {
  readonly id: number
  readonly name: string
  readonly uuid: string
  readonly kib: number
  readonly vcpus: number
  readonly flags: string
  readonly seconds: number
}

const noUuid = '00000000-0000-0000-0000-000000000000'

/** Running, blocked, paused, shutdown, crashed, dying: a letter each at its place. */
export function flagsOf({ state, running }: Vm): string {
  if (!running) return ''
  const letters: Readonly<Record<string, string>> = {
    running: '-b----',
    paused: '--p---',
    'in shutdown': '---s--',
    crashed: '----c-',
  }
  return letters[state] ?? '------'
}

/** The memory that the first domain has. Without a figure of its own it has what is free. */
export function dom0KiB({ persona, hypervisor }: Pick<XenHost, 'persona' | 'hypervisor'>): number {
  return persona.xen?.dom0KiB ?? persona.node.memoryKiB - hypervisor.load.now.memoryBytes / 1024
}

export function cpusOf({ persona }: Pick<XenHost, 'persona'>): number {
  const { cells, sockets, cores, threads } = persona.node
  return cells * sockets * cores * threads
}

function upSeconds({ call }: Session): number {
  return Number(call.system.clock.uptimeNs() / 1_000_000_000n)
}

function dom0Row(session: Session): Row {
  const { host } = session
  return {
    id: 0,
    name: dom0,
    uuid: noUuid,
    kib: dom0KiB(host),
    vcpus: cpusOf(host),
    flags: 'r-----',
    seconds: upSeconds(session),
  }
}

function rowOf(vm: Vm): Row {
  const xml = xmlOf(vm)
  return {
    id: vm.running?.id ?? 0,
    name: nameOf(vm),
    uuid: uuidOf(vm),
    kib: currentKiB(xml),
    vcpus: vcpusOf(xml).now,
    flags: flagsOf(vm),
    seconds: vm.running ? (Date.now() - vm.running.startedMs) / 1000 : 0,
  }
}

/** The domains that are meant: that of the word, or all. */
function rows(session: Session): Row[] {
  const [word] = session.words
  const running = session.host.hypervisor.list().filter(vm => vm.running)
  if (word === undefined) return [dom0Row(session), ...running.map(rowOf)]
  const { id, vm } = find(session.host, word)
  if (id !== 0 && !vm) throw new Ended([`Error: Domain '${word}' does not exist.`])
  return [vm ? rowOf(vm) : dom0Row(session)]
}

function line({ name, id, kib, vcpus, flags, seconds }: Row): string {
  const memory = String(Math.round(kib / 1024))
  return `${name.padEnd(40)} ${String(id).padStart(5)} ${memory.padStart(5)} ${String(vcpus).padStart(5)}     ${flags}  ${seconds.toFixed(1).padStart(6)}`
}

const heading = 'Name                                        ID   Mem VCPUs\tState\tTime(s)'

const list: Verb = {
  flags: 'vtT',
  words: '[options] [Domain]\n',
  does: 'List information about all/some domains',
  about: `-l, --long              Output all VM details
-v, --verbose           Prints out UUIDs and security context
-Z, --context           Prints out security context
-c, --cpupool           Prints the cpupool the domain is in
-n, --numa              Prints out NUMA node affinity`,
  options: 'lvZcn',
  long: { long: 'l', verbose: 'v', context: 'Z', cpupool: 'c', numa: 'n' },
  least: 0,
  run: async session => {
    const { options, words, host } = session
    if (words.length > 1) {
      await say(session, usageOf('list', list))
      return 1
    }
    const found = rows(session)
    if (options.has('l')) {
      const running = host.hypervisor.list()
      const details = found.map(({ id }) => {
        const vm = running.find(one => one.running?.id === id)
        return { domid: id, config: vm ? detailsOf(xmlOf(vm), true) : dom0Details(dom0KiB(host)) }
      })
      await say(session, `${writeJson(details)}\n\n`)
      return 0
    }
    const more = (row: Row): string =>
      [
        options.has('v') ? ` ${row.uuid} ${'-'.padStart(8)}` : '',
        options.has('v') || options.has('Z') ? '-'.padStart(17) : '',
        options.has('c') ? 'Pool-0'.padStart(16) : '',
        options.has('n') ? ' all' : '',
      ].join('')
    const head = [
      options.has('v') ? '   UUID                            Reason-Code\tSecurity Label' : '',
      options.has('Z') && !options.has('v') ? '   Security Label' : '',
      options.has('c') ? '         Cpupool' : '',
      options.has('n') ? ' NODE Affinity' : '',
    ].join('')
    await say(session, [`${heading}${head}`, ...found.map(row => `${line(row)}${more(row)}`), ''].join('\n'))
    return 0
  },
}

const vmList: Verb = {
  flags: 'vtT',
  words: '',
  does: 'List guest domains, excluding dom0, stubdoms, etc.',
  least: 0,
  run: async session => {
    const found = rows({ ...session, words: [] })
    const lines = found.map(({ uuid, id, name }) => `${uuid}  ${String(id).padEnd(4)} ${name.padEnd(30)}`)
    await say(session, ['UUID                                  ID    name', ...lines, ''].join('\n'))
    return 0
  },
}

const uptime: Verb = {
  flags: 'vtT',
  words: '[-s] [Domain]',
  does: 'Print uptime for all/some domains',
  options: 's',
  least: 0,
  run: async session => {
    const { words, host, options } = session
    const [word] = words
    const running = host.hypervisor.list().filter(vm => vm.running)
    const found = word === undefined ? undefined : find(host, word)
    const shown = found ? running.filter(vm => vm === found.vm) : running
    const times = [
      ...(!found || found.id === 0 ? [[dom0, 0, upSeconds(session)] as const] : []),
      ...shown.map(vm => [nameOf(vm), vm.running?.id ?? 0, secondsOf(vm)] as const),
    ]
    if (options.has('s')) {
      const clock = new Date().toISOString().slice(11, 19)
      await say(
        session,
        times.map(([name, id, up]) => ` ${clock} up ${short(up)}, ${name} (${id})\n`).join(''),
      )
      return 0
    }
    const lines = times.map(([name, id, up]) => `${name.padEnd(32)} ${String(id).padStart(5)} ${clockOf(up)}`)
    await say(session, [`Name                                ID Uptime`, ...lines, ''].join('\n'))
    if (found && !found.vm && found.id !== 0) {
      await tell(session, [
        `libxl: error: libxl_domain.c:2231:libxl_vm_get_start_time: Domain ${found.id}:Can't get start time of domain`,
      ])
    }
    return 0
  },
}

function secondsOf({ running }: Vm): number {
  return running ? (Date.now() - running.startedMs) / 1000 : 0
}

function clockOf(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value) % 60).padStart(2, '0')
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor(seconds / 3600) % 24
  const time = `${hours}:${two(seconds / 60)}:${two(seconds)}`
  return days === 0 ? ` ${time}` : `${days} days, ${time.padStart(8)}`
}

function short(seconds: number): string {
  return ` ${Math.floor(seconds / 3600)}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}`
}

const domid: Verb = {
  flags: 'vtT',
  words: '<DomainName>',
  does: 'Convert a domain name to domain id',
  least: 1,
  run: async session => {
    const [name = ''] = session.words
    const vm = session.host.hypervisor.list().find(one => one.running && nameOf(one) === name)
    if (name !== dom0 && !vm?.running) {
      throw new Ended([`Can't get domid of domain name '${name}', maybe this domain does not exist.`])
    }
    await say(session, `${vm?.running?.id ?? 0}\n`)
    return 0
  },
}

const domname: Verb = {
  flags: 'vtT',
  words: '<DomainId>',
  does: 'Convert a domain id to domain name',
  least: 1,
  run: async session => {
    const [word = ''] = session.words
    if (!/^\d+$/.test(word)) throw new Ended(['Invalid domain id.', ''])
    const vm = session.host.hypervisor.list().find(one => one.running?.id === Number(word))
    if (word !== '0' && !vm) {
      throw new Ended([`Can't get domain name of domain id '${word}', maybe this domain does not exist.`])
    }
    await say(session, `${vm ? nameOf(vm) : dom0}\n`)
    return 0
  },
}

export const listVerbs: Readonly<Record<string, Verb>> = { list, 'vm-list': vmList, uptime, domid, domname }
