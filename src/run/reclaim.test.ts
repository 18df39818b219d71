import { join } from 'node:path'
import t, { type Test } from 'tap'
import { sampleEnvironment, samplePlan, sampleTest } from '../../test/sample-run.js'
import { InfraError } from '../config/errors.js'
import { loadLab } from '../config/load.js'
import type { LeftEnvironment } from '../engine/resumed.js'
import type { Driver, Leftover } from '../hypervisors/driver.js'
import { type Leases, nothingHeld } from '../hypervisors/lease.js'
import { driverSource } from '../hypervisors/registry.js'
import type { EventBody } from '../journal/events.js'
import type { InstanceState } from '../journal/state.js'
import { reclaim } from './reclaim.js'

const run = '20261122-101500-a1b2'
const environment = 'deb@rhel-kvm-9.6/default'

const labText = `lab: reclaimed
hosts:
  kvm: { product: rhel-kvm, version: "9.6", driver: libvirt, connect: { ssh: root@192.0.2.1, password: env:RECLAIM_PASSWORD, hostKey: known_hosts } }
guests:
  deb:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, password: env:RECLAIM_PASSWORD, hostKey: known_hosts }
    on: { kvm: { vm: deb, clean: { snapshot: clean }, via: host, configuration: { memory: 1GiB, vcpus: 1 } } }
suites: [builtin]
`

const instance = (number: number, ended: InstanceState['ended'] = null): InstanceState => ({
  id: `gc-${run}-e1-${number}`,
  host: 'kvm',
  attempt: number,
  peer: null,
  startedAt: '2026-11-22T10:15:00.000Z',
  ready: null,
  failure: null,
  unexpected: [],
  ended,
})

const leftover = (name: string, more: Partial<Leftover> = {}): Leftover => ({
  name,
  run,
  what: 'a domain',
  shared: false,
  kept: false,
  ...more,
})

interface Given {
  /** What the journal knows to be under way. */
  readonly instances: readonly InstanceState[]
  /** What is on the host; an error when it cannot be asked. */
  readonly there: readonly Leftover[] | Error
  /** Those that cannot be removed. */
  readonly stuck?: readonly string[]
  readonly isNew?: boolean
  /** True when the lab has another configuration of the guest. */
  readonly isElsewhere?: boolean
}

/** Reclaims on one host; what was done and told, in order. */
async function reclaimed(
  t: Test,
  { instances, there, stuck = [], isNew = false, isElsewhere = false }: Given,
): Promise<string[]> {
  process.env.RECLAIM_PASSWORD = 'no secret is needed, as nothing is contacted'
  const lab = await loadLab(join(t.testdir({ 'lab.yaml': labText }), 'lab.yaml'), driverSource)
  const log: string[] = []
  const driver: Driver = {
    name: 'scripted',
    abilities: () => new Set(),
    facts: async () => ({}),
    instance: () => {
      throw new Error('nothing is made here')
    },
    leftovers: async () => {
      log.push('list')
      if (there instanceof Error) throw there
      return [...there]
    },
    clean: async name => {
      if (stuck.includes(name)) {
        throw new InfraError('it is locked', { cause: 'host', where: 'kvm', code: 'command' })
      }
      log.push(`clean ${name}`)
    },
    close: async () => {},
  }
  const leases: Leases = {
    hold: async () => {
      log.push('hold')
      return { ...nothingHeld, leave: () => log.push('leave') }
    },
    close: async () => {},
  }
  const left: LeftEnvironment = { ended: false, tests: [], instances }
  const planned = sampleEnvironment(environment, [sampleTest('core/identity')], { hosts: ['kvm'] })
  const placed = isElsewhere ? undefined : lab.guests.get('deb')?.on[0]
  await reclaim({
    plan: samplePlan([{ ...planned, configuration: placed?.configuration ?? planned.configuration }]),
    lab,
    run,
    left: new Map([[environment, left]]),
    driverOf: () => driver,
    leases,
    emit: event => log.push(told(event)),
    isNew: () => isNew,
    signal: new AbortController().signal,
  })
  return log.map(line => line.replaceAll(`gc-${run}-`, ''))
}

function told(event: EventBody): string {
  return event.type === 'instance-ended'
    ? `${event.instance} ended: ${event.undone.join(' ')}; ${event.orphan}`
    : event.type === 'instance-started'
      ? `${event.instance} started`
      : event.type
}

const first = instance(1)

t.test('an instance that was under way is removed, and said to have ended', async t => {
  const given = { instances: [first], there: [leftover(first.id)] }
  t.same(await reclaimed(t, given), ['list', 'clean e1-1', 'e1-1 ended: remove; null'])
})

t.test('one that is gone already has ended, and nothing was undone', async t => {
  t.same(await reclaimed(t, { instances: [first], there: [] }), ['list', 'e1-1 ended: ; null'])
})

t.test('one that cannot be removed is an orphan, and keeps no other from being removed', async t => {
  const second = instance(2)
  const there = [leftover(first.id), leftover(second.id)]
  t.same(await reclaimed(t, { instances: [first, second], there, stuck: [first.id] }), [
    'list',
    'e1-1 ended: ; remove: it is locked',
    'clean e1-2',
    'e1-2 ended: remove; null',
  ])
})

t.test('one that its runner had no time to write down is removed, and written down', async t => {
  const there = [leftover(first.id)]
  t.same(await reclaimed(t, { instances: [], there }), [
    'list',
    'e1-1 started',
    'clean e1-1',
    'e1-1 ended: remove; null',
  ])
  t.same(await reclaimed(t, { instances: [], there, stuck: [first.id] }), [
    'list',
    'e1-1 started',
    'e1-1 ended: ; remove: it is locked',
  ])
})

t.test('an orphan that can be removed by now is one no more', async t => {
  const orphan = instance(1, { undone: [], orphan: 'remove: it hangs', kept: false, evidence: [] })
  t.same(await reclaimed(t, { instances: [orphan], there: [leftover(orphan.id)] }), [
    'list',
    'clean e1-1',
    'e1-1 ended: remove; null',
  ])
})

t.test('what is of another run, or was kept on purpose, is not touched', async t => {
  const kept = instance(2, { undone: [], orphan: 'virsh console', kept: true, evidence: [] })
  const there = [
    leftover('gc-other-e1-1', { run: 'other' }),
    leftover('gc-nobody-e1-1', { run: null }),
    leftover(kept.id, { kept: true }),
  ]
  t.same(await reclaimed(t, { instances: [kept], there }), ['list'])
})

t.test('a machine that others use too is touched only with its lease', async t => {
  const there = [leftover(first.id, { shared: true })]
  t.same(await reclaimed(t, { instances: [first], there }), [
    'list',
    'hold',
    'clean e1-1',
    'leave',
    'e1-1 ended: remove; null',
  ])
})

t.test('a machine that others use too, and that the lab does not have any more, is an orphan', async t => {
  const there = [leftover(first.id, { shared: true })]
  t.same(await reclaimed(t, { instances: [first], there, isElsewhere: true }), [
    'list',
    'e1-1 ended: ; remove: its host or its guest is not in the lab any more',
  ])
})

t.test('where the host cannot be asked, each instance on it is an orphan', async t => {
  const there = new InfraError('no route to host', { cause: 'host', where: 'kvm', code: 'connect' })
  t.same(await reclaimed(t, { instances: [first, instance(2)], there }), [
    'list',
    'e1-1 ended: ; remove: no route to host',
    'e1-2 ended: ; remove: no route to host',
  ])
})

t.test('nothing is asked of an emulated lab that did not outlive its runner', async t => {
  t.same(await reclaimed(t, { instances: [first], there: [leftover(first.id)], isNew: true }), [
    'e1-1 ended: ; null',
  ])
})
