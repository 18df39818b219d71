import { copyOfDisk } from '../../guest.js'
import { bootImage, disksOf, nicsOf } from '../domain.js'
import type { Content } from '../images.js'
import { Trouble } from '../trouble.js'
import { type Vm, xmlOf } from '../vm.js'
import { at, copyXml, make, type Xml } from '../xml.js'
import { badPowerState, lacksFeature, notAcknowledged, notEnoughMemory, srFull, XeError } from './errors.js'
import { type Member, type PoolSnapshot, type PoolVm, vdiOf } from './pool.js'
import { demand, type Given, type Session, type Verb } from './session.js'

/** Throws XeError for a machine in none of the states. */
export function expectState({ pool }: Session, found: PoolVm, states: readonly string[]): void {
  const actual = pool.powerState(found)
  if (!states.includes(actual)) throw badPowerState(found, states.join(', '), actual)
}

function machine(
  states: readonly string[],
  work: (session: Session, found: PoolVm, given: Given) => Promise<void> | void,
): Verb {
  return async (session, given) => {
    const found = session.pool.find(given.get('uuid'))
    expectState(session, found, states)
    await work(session, found, given)
    return ''
  }
}

/** A machine that does not run is where it is wanted: the pool's members share their disks. */
function placeOn({ vm, member }: PoolVm, wanted: Member): Vm {
  if (member === wanted) return vm
  const xml = copyXml(xmlOf(vm))
  member.hypervisor.undefine(vm)
  return wanted.hypervisor.define(xml)
}

function wantedMember({ pool, member }: Session, given: Given): Member {
  const on = given.get('on')
  return on === undefined ? member : pool.findMember(on)
}

const start = machine(['halted'], async (session, found, given) => {
  const wanted = wantedMember(session, given)
  try {
    await wanted.hypervisor.start(placeOn(found, wanted))
  } catch (error) {
    throw error instanceof Trouble && error.kind === 'internal' ? memoryOf(session, found) : error
  }
})

function memoryOf({ persona }: Session, { vm, member }: PoolVm): XeError {
  const needed = Number(at(xmlOf(vm), 'memory')?.children[0] ?? 0) * 1024
  return notEnoughMemory(needed, persona.node.memoryKiB * 1024 - member.hypervisor.load.now.memoryBytes)
}

const resume = machine(['suspended'], async (session, found, given) => {
  const snapshot = session.pool.suspended.get(found.uuid)
  if (!snapshot) throw badPowerState(found, 'suspended', 'halted')
  const wanted = wantedMember(session, given)
  const vm = placeOn(found, wanted)
  vm.snapshots.set(snapshot.uuid, snapshot.state)
  try {
    await wanted.hypervisor.revert(vm, snapshot.uuid, 'running')
  } finally {
    vm.snapshots.delete(snapshot.uuid)
  }
  session.pool.suspended.delete(found.uuid)
})

const shutdown: Verb = async (session, given) => {
  const found = session.pool.find(given.get('uuid'))
  const { hypervisor } = found.member
  if (given.get('force') === 'true') {
    expectState(session, found, ['running', 'paused', 'suspended'])
    if (!session.pool.suspended.delete(found.uuid)) await hypervisor.destroy(found.vm)
    return ''
  }
  expectState(session, found, ['running'])
  if (found.vm.running?.guest?.state !== 'running') throw lacksFeature(found)
  hypervisor.shutdown(found.vm)
  if (found.vm.state === 'in shutdown') throw notAcknowledged(found)
  // xapi waits for the guest for much longer than anybody who asks.
  for (let waitedMs = 0; found.vm.running; waitedMs += lookEveryMs) {
    if (waitedMs > patienceMs) throw notAcknowledged(found)
    await session.call.process.sleep(lookEveryMs)
  }
  return ''
}

const [lookEveryMs, patienceMs] = [100, 1_200_000]

const reboot: Verb = async (session, given) => {
  const found = session.pool.find(given.get('uuid'))
  if (given.get('force') !== 'true') throw notAcknowledged(found)
  expectState(session, found, ['running', 'paused'])
  const { hypervisor } = found.member
  // A domain is ended, and another one made.
  await hypervisor.destroy(found.vm)
  await hypervisor.start(found.vm)
  return ''
}

const migrate = machine(['running'], async ({ pool }, { vm, member }, given) => {
  const to = pool.findMember(demand(given, 'host'))
  if (given.get('live') !== 'true')
    throw new XeError('This driver of the emulator plays live migration only.')
  if (to === member) return
  const how = { persistent: true, undefineSource: true, copyStorage: false, unsafe: true }
  await member.hypervisor.migrate(vm, to.hypervisor, how)
})

/** Makes a machine after another or after a snapshot, with a disk of its own. */
function copyMachine(
  session: Session,
  source: { readonly xml: Xml; readonly content: Content },
  name: string,
): string {
  const { pool, member } = session
  const { images, tree } = member.hypervisor
  const uuid = pool.newUuid()
  const xml = copyXml(source.xml)
  for (const [key, value] of [
    ['name', name],
    ['uuid', uuid],
  ] as const) {
    const element = at(xml, key)
    if (element) element.children = [value]
    else xml.children.push(make(key, {}, value))
  }
  for (const nic of nicsOf(xml))
    nic.children = nic.children.filter(child => typeof child === 'string' || child.name !== 'mac')
  for (const { xml: disk, file } of disksOf(xml)) {
    const known = pool.disks.get(vdiOf(file ?? ''))
    const bytes = known?.bytes ?? 0
    if (session.faults.noSpace) throw srFull(bytes)
    const vdi = pool.newUuid()
    const own = pool.fileOf(vdi)
    const content = file === bootImage(source.xml) ? images.keep(source.content) : images.keep({})
    images.write(tree, own, { format: 'raw', virtualBytes: bytes, content })
    pool.disks.set(vdi, { name: known?.name ?? '', bytes, isSnapshot: false })
    const element = at(disk, 'source')
    if (element) element.attributes.file = own
  }
  member.hypervisor.define(xml)
  return `${uuid}\n`
}

const clone: Verb = (session, given) => {
  const found = session.pool.find(given.get('uuid'))
  expectState(session, found, ['halted', 'suspended'])
  const { images, tree } = session.member.hypervisor
  const file = bootImage(xmlOf(found.vm))
  const content = file === undefined ? {} : images.find(tree, file)
  return copyMachine(session, { xml: xmlOf(found.vm), content }, demand(given, 'new-name-label'))
}

const install: Verb = (session, given) => {
  const { state } = session.pool.findSnapshot(demand(given, 'template-uuid'))
  return copyMachine(session, { xml: state.xml, content: contentOf(state) }, demand(given, 'new-name-label'))
}

function contentOf({ disk, installed }: PoolSnapshot['state']): Content {
  return { ...(disk ? { disk: copyOfDisk(disk) } : {}), ...(installed ? { installed } : {}) }
}

/** What can be done with a machine as it stands. */
export const machineVerbs: Readonly<Record<string, Verb>> = {
  'vm-start': start,
  'vm-resume': resume,
  'vm-shutdown': shutdown,
  'vm-reboot': reboot,
  'vm-pause': machine(['running'], (_, { vm, member }) => member.hypervisor.suspend(vm)),
  'vm-unpause': machine(['paused'], (_, { vm, member }) => member.hypervisor.resume(vm)),
  'vm-migrate': migrate,
  'vm-clone': clone,
  'vm-install': install,
}
