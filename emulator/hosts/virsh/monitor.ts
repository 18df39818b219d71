import { currentKiB, disksOf, macOf, memoryKiB, nicsOf, vcpusOf } from '../domain.js'
import { nameOf, uuidOf, type Vm, xmlOf } from '../vm.js'
import { at } from '../xml.js'
import { table } from './generation.js'
import type { OptionRule } from './parse.js'
import { type Command, domainOf, Failed, type Session } from './session.js'
import { stateWord } from './words.js'

const domain: OptionRule = { name: 'domain', kind: 'required' }
const addressRule = '-'.repeat(79)

function idOf(vm: Vm): string {
  return vm.running === undefined ? '-' : String(vm.running.id)
}

/** On Xen, the host itself is the first domain. */
function dom0({ isXen }: Session): string[][] {
  return isXen ? [['0', 'Domain-0', 'running']] : []
}

const list: Command = {
  options: [
    { name: 'inactive', kind: 'flag' },
    { name: 'all', kind: 'flag' },
    { name: 'transient', kind: 'flag', since: '0.9.13' },
    { name: 'persistent', kind: 'flag', since: '0.9.13' },
    { name: 'name', kind: 'flag', since: '0.9.13' },
    { name: 'uuid', kind: 'flag', since: '0.9.13' },
    { name: 'title', kind: 'flag', since: '0.9.10' },
  ],
  run: session => {
    const { hypervisor, given, generation, isXen } = session
    const wanted = (vm: Vm): boolean =>
      given.has('all') || (vm.running !== undefined) !== given.has('inactive')
    const vms = hypervisor.list().filter(wanted)
    const active = vms.filter(({ running }) => running).sort((a, b) => Number(idOf(a)) - Number(idOf(b)))
    const inactive = vms.filter(({ running }) => !running).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    const rows = [
      ...(given.has('inactive') ? [] : dom0(session)),
      ...[...active, ...inactive].map(vm => [idOf(vm), nameOf(vm), stateWord(vm.state, generation, isXen)]),
    ]
    if (given.has('name')) return rows.map(([, name]) => `${name}\n`).join('')
    if (generation.has('4.8.0')) return table(['Id', 'Name', 'State'], rows)
    const width = generation.has('0.9.10') ? 30 : 20
    const idWidth = generation.has('0.9.10') ? -5 : 3
    const line = ([id = '', name = '', state = '']: readonly string[]): string =>
      idWidth < 0
        ? ` ${id.padEnd(-idWidth)} ${name.padEnd(width)} ${state}\n`
        : `${id.padStart(idWidth)} ${name.padEnd(width)} ${state}\n`
    const rule = '-'.repeat(idWidth < 0 ? 52 : 34)
    return `${line(['Id', 'Name', 'State'])}${rule}\n${rows.map(line).join('')}`
  },
}

const domstate: Command = {
  options: [domain, { name: 'reason', kind: 'flag', since: '0.9.2' }],
  run: session => {
    const vm = domainOf(session)
    const word = stateWord(vm.state, session.generation, session.isXen)
    return session.given.has('reason') ? `${word} (${vm.reason})\n` : `${word}\n`
  },
}

/** Guests have no label here, whatever the model. */
function securityOf({ persona, generation }: Session): (readonly [string, string])[] {
  const { security } = persona.libvirt
  return security === undefined || !generation.has('0.6.1')
    ? []
    : [
        ['Security model', security.model],
        ['Security DOI', security.doi],
      ]
}

const dominfo: Command = {
  options: [domain],
  run: session => {
    const vm = domainOf(session)
    const { generation, isXen } = session
    const unit = generation.has('0.9.11') ? 'KiB' : 'kB'
    const memory = memoryKiB(xmlOf(vm))
    const seconds = vm.running === undefined ? undefined : (Date.now() - vm.running.startedMs) / 1000
    const fields: (readonly [string, string])[] = [
      ['Id', idOf(vm)],
      ['Name', nameOf(vm)],
      ['UUID', uuidOf(vm)],
      ['OS Type', at(xmlOf(vm), 'os', 'type')?.children.join('') ?? ''],
      ['State', stateWord(vm.state, generation, isXen)],
      ['CPU(s)', String(vcpusOf(xmlOf(vm)).now)],
      ...(seconds === undefined ? [] : [['CPU time', `${seconds.toFixed(1)}s`] as const]),
      ['Max memory', `${memory} ${unit}`],
      ['Used memory', `${currentKiB(xmlOf(vm))} ${unit}`],
      ...(generation.has('0.8.0')
        ? ([['Persistent', vm.persistent === undefined ? 'no' : 'yes']] as const)
        : []),
      ...(generation.has('0.3.0') ? ([['Autostart', 'disable']] as const) : []),
      ...(generation.has('0.9.13') ? ([['Managed save', 'no']] as const) : []),
      ...securityOf(session),
    ]
    return fields.map(([name, value]) => `${`${name}:`.padEnd(15)} ${value}\n`).join('')
  },
}

const domifaddr: Command = {
  since: '1.2.14',
  options: [
    domain,
    { name: 'interface', kind: 'value' },
    { name: 'full', kind: 'flag' },
    { name: 'source', kind: 'value' },
  ],
  run: session => {
    const vm = domainOf(session)
    const { given, generation, hypervisor, persona } = session
    const source = given.value('source') ?? 'lease'
    const known = generation.has('4.2.0') ? ['lease', 'agent', 'arp'] : ['lease', 'agent']
    if (!known.includes(source)) throw new Failed([`Unknown data source '${source}'`])
    const failed = 'Failed to query for interfaces addresses'
    if (!vm.running) throw new Failed([failed, 'Requested operation is not valid: domain is not running'])
    if (source === 'agent') {
      throw new Failed([failed, 'argument unsupported: QEMU guest agent is not configured'])
    }
    const rows = nicsOf(vm.running.xml).flatMap((nic, index) => {
      const mac = macOf(nic)
      // Guests ask for an address with their first card alone.
      const isUp = index === 0 && vm.running?.guest?.state === 'running'
      return !isUp || mac === undefined
        ? []
        : [
            [
              at(nic, 'target')?.attributes.dev ?? `vnet${index}`,
              mac,
              'ipv4',
              `${hypervisor.leases.addressOf(persona, mac)}/24`,
            ],
          ]
    })
    const line = ([name = '', mac = '', protocol = '', address = '']: readonly string[]): string =>
      ` ${name.padEnd(10)} ${mac.padEnd(20)} ${protocol.padEnd(8)}     ${address}\n`
    return `${line(['Name', 'MAC address', 'Protocol', 'Address'])}${addressRule}\n${rows.map(line).join('')}`
  },
}

const domblklist: Command = {
  since: '0.9.2',
  options: [domain, { name: 'inactive', kind: 'flag' }, { name: 'details', kind: 'flag', since: '0.9.13' }],
  run: session => {
    const vm = domainOf(session)
    const disks = disksOf(xmlOf(vm))
    const details = session.given.has('details')
    const rows = disks.map(({ xml, kind, target, file }) => [
      ...(details ? [xml.attributes.type ?? 'file', kind] : []),
      target,
      file ?? '-',
    ])
    const headings = [...(details ? ['Type', 'Device'] : []), 'Target', 'Source']
    return table(headings, rows)
  },
}

const domiflist: Command = {
  since: '0.9.2',
  options: [domain, { name: 'inactive', kind: 'flag' }],
  run: session => {
    const vm = domainOf(session)
    const rows = nicsOf(xmlOf(vm)).map(nic => {
      const source = at(nic, 'source')?.attributes ?? {}
      return [
        at(nic, 'target')?.attributes.dev ?? '-',
        nic.attributes.type ?? 'network',
        source.network ?? source.bridge ?? '-',
        at(nic, 'model')?.attributes.type ?? '-',
        macOf(nic) ?? '-',
      ]
    })
    return table(['Interface', 'Type', 'Source', 'Model', 'MAC'], rows)
  },
}

/** Commands that tell about domains. */
export const monitorCommands: Readonly<Record<string, Command>> = {
  list,
  domstate,
  dominfo,
  domifaddr,
  domblklist,
  domiflist,
  domid: { options: [domain], run: session => `${idOf(domainOf(session))}\n` },
  domuuid: { options: [domain], run: session => `${uuidOf(domainOf(session))}\n` },
  domname: {
    options: [domain],
    run: session => {
      // It looks for ids and UUIDs alone.
      const vm = domainOf(session)
      const word = session.given.need('domain')
      if (word === nameOf(vm)) throw new Failed([`failed to get domain '${word}'`])
      return `${nameOf(vm)}\n`
    },
  },
}
