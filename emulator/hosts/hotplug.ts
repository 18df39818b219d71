import { deviceOf } from './devices.js'
import { completedNic, currentKiB, diskOf, disksOf, macOf, memoryKiB, nicsOf, vcpusOf } from './domain.js'
import type { Power } from './power.js'
import { Trouble } from './trouble.js'
import { nameOf, type Running, type Vm } from './vm.js'
import { at, copyXml, elements, make, type Xml } from './xml.js'

/** Which of a domain a change is about: what runs, what will be started next, or both. */
export interface Affects {
  readonly live: boolean
  readonly config: boolean
}

/** Buses that libvirt has no hot-plug for (qemuDomainAttachDeviceDiskLive of its QEMU driver). */
const coldBuses: readonly string[] = ['ide', 'fdc', 'sata']

/** Gives a machine a disk or a card. */
export function attach(power: Power, vm: Vm, given: Xml, affects: Affects, macPrefix: string): void {
  if (given.name !== 'disk' && given.name !== 'interface') {
    throw new Trouble('unsupported', `live attach of device '${given.name}' is not supported`)
  }
  const [running, persistent] = touched(vm, affects)
  const xml =
    given.name === 'interface' ? completedNic(given, macPrefix, `${nameOf(vm)} ${Date.now()}`) : given
  for (const domain of [running?.xml, persistent]) if (domain) demandFree(domain, xml)
  if (running) {
    if (xml.name === 'disk' && coldBuses.includes(diskOf(xml).bus)) {
      throw new Trouble('operation', `disk bus '${diskOf(xml).bus}' cannot be hotplugged.`)
    }
    const device = deviceOf(power, xml)
    running.guest?.plug(device)
    running.devices = [...running.devices, device]
    at(running.xml, 'devices')?.children.push(xml)
  }
  if (persistent) at(persistent, 'devices')?.children.push(copyXml(xml))
}

function demandFree(domain: Xml, xml: Xml): void {
  if (xml.name === 'disk') {
    const { target } = diskOf(xml)
    if (disksOf(domain).some(other => other.target === target)) {
      throw new Trouble('failed', `target ${target} already exists`)
    }
  } else if (nicsOf(domain).some(other => macOf(other) === macOf(xml))) {
    throw new Trouble('failed', `network device with mac ${macOf(xml)} already exists`)
  }
}

/** Takes a disk or a card from a machine. It stays where a guest that runs does not let go of it. */
export function detach(power: Power, vm: Vm, given: Xml, affects: Affects): void {
  const [running, persistent] = touched(vm, affects)
  if (running) detachLive(power, running, given)
  if (persistent) remove(persistent, given)
}

function detachLive(power: Power, running: Running, given: Xml): void {
  const found = findSame(running.xml, given)
  const device = running.devices.find(one =>
    one.kind === 'disk'
      ? given.name === 'disk' && one.target === diskOf(found).target
      : given.name === 'interface' && one.mac === macOf(found),
  )
  if (running.guest && device && !running.guest.unplug(device)) return
  remove(running.xml, given)
  running.devices = running.devices.filter(one => one !== device)
  const file = device?.kind === 'disk' ? diskOf(found).file : undefined
  if (device?.kind === 'disk' && file !== undefined) power.write(file, { blocks: device.blocks.copy() })
}

function remove(domain: Xml, given: Xml): void {
  const same = findSame(domain, given)
  const devices = at(domain, 'devices')
  if (devices) devices.children = devices.children.filter(child => child !== same)
}

function findSame(domain: Xml, given: Xml): Xml {
  const found = elements(at(domain, 'devices'), given.name).find(one =>
    given.name === 'disk' ? diskOf(one).target === diskOf(given).target : macOf(one) === macOf(given),
  )
  if (!found) throw new Trouble('failed', 'no matching device was found')
  return found
}

/** Changes how many of its vCPUs a machine has. */
export function setVcpus(power: Power, vm: Vm, count: number, affects: Affects): void {
  const [running, persistent] = touched(vm, affects)
  for (const [xml, which] of [
    [running?.xml, 'live'],
    [persistent, 'persistent'],
  ] as const) {
    const most = xml ? vcpusOf(xml).most : count
    if (count > most) {
      throw new Trouble(
        'argument',
        `requested vcpus is greater than max allowable vcpus for the ${which} domain: ${count} > ${most}`,
      )
    }
  }
  if (running) {
    // Under QEMU those that it was started with cannot be taken away again; Xen's guests let go of any but the first.
    const least = running.xml.attributes.type === 'xen' ? 1 : running.startVcpus
    if (count < least) {
      throw new Trouble(
        'config',
        'failed to find appropriate hotpluggable vcpus to reach the desired target vcpu count',
      )
    }
    running.guest?.setVcpus(count)
    power.resize(running, { vcpus: count })
    writeVcpus(running.xml, count)
  }
  if (persistent) writeVcpus(persistent, count)
}

function writeVcpus(domain: Xml, count: number): void {
  const vcpu = at(domain, 'vcpu')
  if (!vcpu) return
  if (count === vcpusOf(domain).most) delete vcpu.attributes.current
  else vcpu.attributes.current = String(count)
}

/** Has a machine's balloon take memory or give it back, until it has so much. */
export function setMemory(power: Power, vm: Vm, kib: number, affects: Affects): void {
  const [running, persistent] = touched(vm, affects)
  for (const xml of [running?.xml, persistent]) {
    if (xml && kib > memoryKiB(xml)) {
      throw new Trouble('argument', 'cannot set memory higher than max memory')
    }
  }
  if (running) {
    const memoryBytes = kib * 1024
    const more = memoryBytes - running.share.memoryBytes
    if (more > 0) power.demandRoom({ vcpus: 0, memoryBytes: more })
    running.guest?.setMemory(memoryBytes)
    power.resize(running, { memoryBytes })
    writeCurrent(running.xml, kib)
  }
  if (persistent) writeCurrent(persistent, kib)
}

function writeCurrent(domain: Xml, kib: number): void {
  if (currentKiB(domain) === kib) return
  const made = make('currentMemory', { unit: 'KiB' }, String(kib))
  const place = domain.children.findIndex(
    child => typeof child === 'object' && child.name === 'currentMemory',
  )
  if (place >= 0) domain.children[place] = made
  else domain.children.push(made)
}

/** The parts of a machine that a change is about. Throws Trouble where one is not there. */
function touched(
  vm: Vm,
  { live, config }: Affects,
): [running: Running | undefined, persistent: Xml | undefined] {
  if (live && !vm.running) throw new Trouble('invalid', 'domain is not running')
  if (config && !vm.persistent) {
    throw new Trouble('argument', 'transient domains do not have any persistent config')
  }
  return [live ? vm.running : undefined, config ? vm.persistent : undefined]
}
