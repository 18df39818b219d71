import { disksOf } from '../domain.js'
import { nameOf, uuidOf } from '../vm.js'
import { make, writeXml } from '../xml.js'
import { table } from './generation.js'
import type { OptionRule } from './parse.js'
import { attempt, type Command, domainOf } from './session.js'
import { stateWord } from './words.js'

const domain: OptionRule = { name: 'domain', kind: 'required' }
const named: OptionRule = { name: 'snapshotname', kind: 'required' }
const since = '0.8.0'
const notOnXen = 'virDomainSnapshotNum'

/** Commands about snapshots; virshcmdref dates the first of them at 0.8.0, create-as came with 0.9.1. */
export const snapshotCommands: Readonly<Record<string, Command>> = {
  'snapshot-create-as': {
    since: '0.9.1',
    notOnXen: 'virDomainSnapshotCreateXML',
    options: [
      domain,
      { name: 'name', kind: 'value' },
      { name: 'description', kind: 'value' },
      { name: 'print-xml', kind: 'flag' },
      { name: 'no-metadata', kind: 'flag', since: '0.9.5' },
      { name: 'halt', kind: 'flag', since: '0.9.5' },
      { name: 'disk-only', kind: 'flag', since: '0.9.5' },
      { name: 'atomic', kind: 'flag', since: '0.9.11' },
      { name: 'live', kind: 'flag', since: '1.0.0' },
    ],
    run: async session => {
      const vm = domainOf(session)
      const { given, hypervisor } = session
      const name = given.value('name') ?? String(Math.floor(Date.now() / 1000))
      const { process } = session.call
      // libvirtd goes on with it, also when the virsh that asked is killed.
      const halted = hypervisor.halt(vm, ms => new Promise(resolve => void process.pulse.after(ms, resolve)))
      await process.whileAlive(halted)
      await attempt(session, undefined, () => hypervisor.snapshot(vm, name, given.value('description')))
      return `Domain snapshot ${name} created`
    },
  },
  'snapshot-list': {
    since,
    notOnXen,
    options: [
      domain,
      { name: 'name', kind: 'flag', since: '1.0.3' },
      { name: 'parent', kind: 'flag', since: '0.9.5' },
      { name: 'tree', kind: 'flag', since: '0.9.5' },
    ],
    run: session => {
      const vm = domainOf(session)
      const { generation } = session
      const all = [...vm.snapshots.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
      if (session.given.has('name')) return all.map(({ name }) => `${name}\n`).join('')
      const rows = all.map(({ name, madeSec, state }) => [
        name,
        new Date(madeSec * 1000)
          .toISOString()
          .replace('T', ' ')
          .replace(/\.\d+Z$/, ' +0000'),
        stateWord(state, generation, false).replace(' ', ''),
      ])
      if (generation.has('4.8.0')) return table(['Name', 'Creation Time', 'State'], rows)
      const line = ([name = '', time = '', state = '']: readonly string[]): string =>
        ` ${name.padEnd(20)} ${time.padEnd(25)} ${state}\n`
      const rule = '-'.repeat(generation.has('0.9.0') ? 60 : 51)
      return `${line(['Name', 'Creation Time', 'State'])}${rule}\n${rows.map(line).join('')}`
    },
  },
  'snapshot-info': {
    since: '0.9.13',
    notOnXen: 'virDomainSnapshotLookupByName',
    options: [domain, named],
    run: async session => {
      const vm = domainOf(session)
      const { hypervisor, given, generation } = session
      const { name, state, parent } = await attempt(session, undefined, () =>
        hypervisor.findSnapshot(vm, given.need('snapshotname')),
      )
      const below = (above: string): string[] =>
        [...vm.snapshots.values()].filter(other => other.parent === above).map(other => other.name)
      const allBelow = (above: string): string[] => below(above).flatMap(child => [child, ...allBelow(child)])
      const fields = {
        Name: name,
        Domain: nameOf(vm),
        Current: vm.current === name ? 'yes' : 'no',
        State: stateWord(state, generation, false).replace(' ', ''),
        Location: 'internal',
        Parent: parent ?? '-',
        Children: below(name).length,
        Descendants: allBelow(name).length,
        Metadata: 'yes',
      }
      return Object.entries(fields)
        .map(([field, value]) => `${`${field}:`.padEnd(15)} ${value}\n`)
        .join('')
    },
  },
  'snapshot-dumpxml': {
    since,
    notOnXen: 'virDomainSnapshotLookupByName',
    options: [domain, named, { name: 'security-info', kind: 'flag', since: '0.9.5' }],
    run: async session => {
      const vm = domainOf(session)
      const { hypervisor, given, generation } = session
      const snapshot = await attempt(session, undefined, () =>
        hypervisor.findSnapshot(vm, given.need('snapshotname')),
      )
      const { name, description, state, madeSec, parent, xml } = snapshot
      const isFull = generation.has('0.9.5')
      const disks = disksOf(xml).map(({ target, file }) =>
        make('disk', { name: target, snapshot: file === undefined ? 'no' : 'internal' }),
      )
      const isRunning = state === 'running' || state === 'paused'
      return writeXml(
        make('domainsnapshot', {}, [
          make('name', {}, name),
          description === undefined ? undefined : make('description', {}, description),
          make('state', {}, state.replace(' ', '')),
          parent === undefined ? undefined : make('parent', {}, [make('name', {}, parent)]),
          make('creationTime', {}, String(madeSec)),
          isFull ? make('memory', { snapshot: isRunning ? 'internal' : 'no' }) : undefined,
          isFull ? make('disks', {}, disks) : undefined,
          isFull ? xml : make('domain', {}, [make('uuid', {}, uuidOf(vm))]),
        ]),
      )
    },
  },
  'snapshot-current': {
    since,
    notOnXen: 'virDomainHasCurrentSnapshot',
    options: [domain, { name: 'name', kind: 'flag', since: '0.9.5' }],
    run: session => {
      const { current } = domainOf(session)
      return current === undefined ? '' : `${current}`
    },
  },
  'snapshot-revert': {
    since,
    notOnXen: 'virDomainSnapshotLookupByName',
    options: [
      domain,
      named,
      { name: 'current', kind: 'flag', since: '0.9.7' },
      { name: 'running', kind: 'flag', since: '0.9.5' },
      { name: 'paused', kind: 'flag', since: '0.9.5' },
      { name: 'force', kind: 'flag', since: '0.9.7' },
    ],
    run: async session => {
      const vm = domainOf(session)
      const { hypervisor, given, generation } = session
      const name = given.need('snapshotname')
      const wanted = given.has('running') ? 'running' : given.has('paused') ? 'paused' : 'as-it-was'
      await attempt(session, undefined, () => hypervisor.revert(vm, name, wanted))
      return generation.has('7.0.0') ? `Domain snapshot ${name} reverted\n` : ''
    },
  },
  'snapshot-delete': {
    since,
    notOnXen: 'virDomainSnapshotLookupByName',
    options: [
      domain,
      named,
      { name: 'children', kind: 'flag' },
      { name: 'metadata', kind: 'flag', since: '0.9.5' },
    ],
    run: async session => {
      const vm = domainOf(session)
      const { hypervisor, given } = session
      const name = given.need('snapshotname')
      await attempt(session, undefined, () => hypervisor.deleteSnapshot(vm, name))
      return `Domain snapshot ${name} deleted\n`
    },
  },
}
