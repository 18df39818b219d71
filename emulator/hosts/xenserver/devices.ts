import { disksOf, macOf, nicsOf, uuidFrom } from '../domain.js'
import { Trouble } from '../trouble.js'
import { xmlOf } from '../vm.js'
import { make } from '../xml.js'
import { alreadyDetached, detachRejected, srFull, uuidInvalid, XeError } from './errors.js'
import { expectState } from './machines.js'
import { diskXml } from './place.js'
import type { Pool, PoolVm, Unplugged } from './pool.js'
import { type Fields, vbdRecords, vbdUuid, vifRecords, vifUuid } from './records.js'
import { demand, type Given, type Session, type Verb } from './session.js'
import { destroyDisk } from './snapshots.js'

const both = { live: true, config: true } as const
const letters = 'abcdefghijklmnop'

function one(records: readonly Fields[], type: string, uuid: string): Fields {
  const found = records.find(each => each.uuid === uuid)
  if (!found) throw uuidInvalid(type, uuid)
  return found
}

const createDisk: Verb = ({ pool, member, faults }, given) => {
  const bytes = Number(demand(given, 'virtual-size'))
  if (demand(given, 'sr-uuid') !== pool.srUuid) throw uuidInvalid('SR', given.get('sr-uuid') ?? '')
  if (!Number.isSafeInteger(bytes)) throw new XeError("Failed to parse parameter 'virtual-size'")
  demand(given, 'type')
  const { images, tree } = member.hypervisor
  if (faults.noSpace) throw srFull(bytes)
  const vdi = pool.newUuid()
  images.write(tree, pool.fileOf(vdi), { format: 'raw', virtualBytes: bytes, content: images.keep({}) })
  pool.disks.set(vdi, { name: demand(given, 'name-label'), bytes, isSnapshot: false })
  return `${vdi}\n`
}

const removeDisk: Verb = ({ pool }, given) => {
  const uuid = demand(given, 'uuid')
  if (!pool.disks.has(uuid)) throw uuidInvalid('VDI', uuid)
  if (vbdRecords(pool).some(vbd => vbd['vdi-uuid'] === uuid && vbd['currently-attached'] === 'true')) {
    throw new XeError(
      `This operation cannot be performed because this VDI is in use by some other operation\nvdi: ${uuid}`,
    )
  }
  destroyDisk(pool, uuid)
  return ''
}

const createVbd: Verb = ({ pool }, given) => {
  const vm = pool.find(demand(given, 'vm-uuid')).uuid
  const vdi = demand(given, 'vdi-uuid')
  if (!pool.disks.has(vdi)) throw uuidInvalid('VDI', vdi)
  if (demand(given, 'device') !== 'autodetect')
    throw new XeError('This front of the emulator plays device=autodetect only.')
  const used = vbdRecords(pool).flatMap(vbd => (vbd['vm-uuid'] === vm ? [vbd.device] : []))
  const device = [...letters].map(letter => `xvd${letter}`).find(name => !used.includes(name)) ?? ''
  const uuid = vbdUuid(pool, vm, device)
  pool.vbds.push({ uuid, vm, device, id: vdi })
  return `${uuid}\n`
}

const createVif: Verb = ({ pool }, given) => {
  const vm = pool.find(demand(given, 'vm-uuid')).uuid
  if (demand(given, 'network-uuid') !== pool.networkUuid)
    throw uuidInvalid('network', given.get('network-uuid') ?? '')
  const device = demand(given, 'device')
  if (demand(given, 'mac') !== 'random') throw new XeError('The MAC address specified is not valid.')
  if (vifRecords(pool).some(vif => vif['vm-uuid'] === vm && vif.device === device)) {
    throw new XeError(`A device with the name given already exists on the selected VM\ndevice: ${device}`)
  }
  const hex = uuidFrom(`mac ${pool.newUuid()}`)
  // A locally administered address, as xapi makes them at random.
  const mac = `7a:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(9, 11)}`
  const uuid = vifUuid(pool, vm, mac)
  pool.vifs.push({ uuid, vm, device, id: mac })
  return `${uuid}\n`
}

function unplugged(list: readonly Unplugged[], type: string, given: Given): Unplugged {
  const uuid = demand(given, 'uuid')
  const found = list.find(each => each.uuid === uuid)
  if (!found) throw uuidInvalid(type, uuid)
  return found
}

function plug(kind: 'vbds' | 'vifs'): Verb {
  return (session, given) => {
    const { pool } = session
    const device = unplugged(pool[kind], kind === 'vbds' ? 'VBD' : 'VIF', given)
    const found = pool.find(device.vm)
    expectState(session, found, ['running'])
    const xml =
      kind === 'vbds'
        ? diskXml(pool.fileOf(device.id), device.device)
        : make('interface', { type: 'bridge' }, [
            make('mac', { address: device.id }),
            make('source', { bridge: 'xenbr0' }),
            make('model', { type: 'xen-vif' }),
          ])
    found.member.hypervisor.attach(found.vm, xml, both)
    pool[kind].splice(pool[kind].indexOf(device), 1)
    return ''
  }
}

function unplug(kind: 'vbds' | 'vifs', records: (pool: Pool) => readonly Fields[]): Verb {
  const type = kind === 'vbds' ? 'VBD' : 'VIF'
  return (session, given) => {
    const { pool } = session
    const uuid = demand(given, 'uuid')
    const record = one(records(pool), type, uuid)
    if (record['currently-attached'] !== 'true') throw alreadyDetached(uuid)
    const found = pool.find(record['vm-uuid'])
    expectState(session, found, ['running'])
    const xml = deviceXml(found, kind, record)
    if (!xml) throw uuidInvalid(type, uuid)
    found.member.hypervisor.detach(found.vm, xml, { live: true, config: false })
    if (deviceXml(found, kind, record)) throw detachRejected(type, uuid)
    try {
      found.member.hypervisor.detach(found.vm, xml, { live: false, config: true })
    } catch (error) {
      if (!(error instanceof Trouble)) throw error
    }
    const id = (kind === 'vbds' ? record['vdi-uuid'] : record.MAC) ?? ''
    pool[kind].push({ uuid, vm: found.uuid, device: record.device ?? '', id })
    return ''
  }
}

function deviceXml({ vm }: PoolVm, kind: 'vbds' | 'vifs', { device, MAC }: Fields) {
  return kind === 'vbds'
    ? disksOf(xmlOf(vm)).find(({ target }) => target === device)?.xml
    : nicsOf(xmlOf(vm)).find(nic => macOf(nic) === MAC)
}

function destroy(kind: 'vbds' | 'vifs', records: (pool: Pool) => readonly Fields[]): Verb {
  const type = kind === 'vbds' ? 'VBD' : 'VIF'
  return ({ pool }, given) => {
    const uuid = demand(given, 'uuid')
    const record = one(records(pool), type, uuid)
    if (record['currently-attached'] === 'true') throw new XeError('The device is currently attached')
    const known = pool[kind].find(each => each.uuid === uuid)
    if (known) {
      pool[kind].splice(pool[kind].indexOf(known), 1)
      return ''
    }
    const found = pool.find(record['vm-uuid'])
    const xml = deviceXml(found, kind, record)
    if (xml) found.member.hypervisor.detach(found.vm, xml, { live: false, config: true })
    return ''
  }
}

const vcpus: Verb = (session, given) => {
  const found = session.pool.find(given.get('uuid'))
  expectState(session, found, ['running'])
  const count = Number(demand(given, 'new-vcpus'))
  try {
    found.member.hypervisor.setVcpus(found.vm, count, { live: true, config: false })
  } catch (error) {
    // Its words are assumed; that it is refused is not.
    throw error instanceof Trouble
      ? new XeError(`Value specified is too large or too small: ${error.message}`)
      : error
  }
  return ''
}

const memory: Verb = (session: Session, given) => {
  const found = session.pool.find(given.get('uuid'))
  const [least, most] = [demand(given, 'min'), demand(given, 'max')].map(Number)
  if (least !== most || most === undefined)
    throw new XeError('This front of the emulator plays ranges of one size only.')
  if (!found.vm.running) return ''
  try {
    found.member.hypervisor.setMemory(found.vm, Math.floor(most / 1024), { live: true, config: false })
  } catch (error) {
    const constraint = 'The dynamic memory range does not satisfy the following constraint.'
    throw error instanceof Trouble
      ? new XeError(`${constraint}\nconstraint: static_min <= dynamic_min <= dynamic_max <= static_max`)
      : error
  }
  return ''
}

export const deviceVerbs: Readonly<Record<string, Verb>> = {
  'vdi-create': createDisk,
  'vdi-destroy': removeDisk,
  'vbd-create': createVbd,
  'vbd-plug': plug('vbds'),
  'vbd-unplug': unplug('vbds', vbdRecords),
  'vbd-destroy': destroy('vbds', vbdRecords),
  'vif-create': createVif,
  'vif-plug': plug('vifs'),
  'vif-unplug': unplug('vifs', vifRecords),
  'vif-destroy': destroy('vifs', vifRecords),
  'vm-vcpu-hotplug': vcpus,
  'vm-memory-dynamic-range-set': memory,
}
