import type { ManagedHostPersona } from '../../persona/schema.js'
import { currentKiB, disksOf, macOf, memoryKiB, nicsOf, uuidFrom, vcpusOf } from '../domain.js'
import { neighbours } from '../network.js'
import { xmlOf } from '../vm.js'
import { at, text, type Xml } from '../xml.js'
import { type Pool, type PoolSnapshot, type PoolVm, vdiOf } from './pool.js'

/** An object as xe shows it: its fields by name. */
export type Fields = Readonly<Record<string, string>>

const notInDatabase = '<not in database>'
const srBytes = 512 * 1024 ** 3

/** How xe marks a field: what is not here is `RO` (records.ml). */
const tags: Readonly<Record<string, string>> = {
  'name-label': ' RW',
  'is-a-template': ' RW',
  'VCPUs-max': ' RW',
  'VCPUs-at-startup': ' RW',
  'memory-static-max': ' RW',
  'HVM-boot-policy': ' RW',
  'HVM-boot-params': 'MRW',
  networks: 'MRO',
  'software-version': 'MRO',
  cpu_info: 'MRO',
}

/** The machines of a pool, and its snapshots, as xe lists both. */
export function vmRecords(pool: Pool, persona: ManagedHostPersona): Fields[] {
  return pool.list().map(each => vmRecord(pool, persona, each))
}

function vmRecord(pool: Pool, persona: ManagedHostPersona, found: PoolVm): Fields {
  const { vm, uuid, name, member } = found
  const state = pool.powerState(found)
  const isUp = state === 'running' || state === 'paused'
  return {
    ...made(xmlOf(vm)),
    uuid,
    'name-label': name,
    'is-a-template': 'false',
    'is-a-snapshot': 'false',
    'is-control-domain': 'false',
    'snapshot-of': notInDatabase,
    'power-state': state,
    'dom-id': isUp ? String(vm.running?.id) : '-1',
    'resident-on': isUp ? member.uuid : notInDatabase,
    'VCPUs-number': isUp ? String(vcpusOf(xmlOf(vm)).now) : '0',
    // The toolstack keeps a little of it, as in a log: 1073713152 of 1 GiB.
    'memory-actual': isUp ? String(currentKiB(xmlOf(vm)) * 1024 - 28_672) : '0',
    networks: isUp ? networksOf(persona, found) : notInDatabase,
  }
}

export function snapshotRecords(pool: Pool): Fields[] {
  return pool.snapshots.map(({ uuid, name, of, state }) => ({
    ...made(state.xml),
    uuid,
    'name-label': name,
    'is-a-template': 'true',
    'is-a-snapshot': 'true',
    'snapshot-of': of,
    'power-state': state.state === 'shut off' ? 'halted' : 'suspended',
  }))
}

/** What a machine is made with. */
function made(xml: Xml): Fields {
  const isHvm = text(xml, 'os', 'type') === 'hvm'
  const isUefi = at(xml, 'os')?.attributes.firmware === 'efi'
  const { now, most } = vcpusOf(xml)
  return {
    'VCPUs-max': String(most),
    'VCPUs-at-startup': String(now),
    'memory-static-max': String(memoryKiB(xml) * 1024),
    'HVM-boot-policy': isHvm ? 'BIOS order' : '',
    'HVM-boot-params': isHvm ? `order: cd${isUefi ? '; firmware: uefi' : ''}` : '',
  }
}

/** What the tools in a guest report: nothing until it is up. */
function networksOf(persona: ManagedHostPersona, { vm, member }: PoolVm): string {
  const guest = vm.running?.guest
  const mac = macOf(nicsOf(xmlOf(vm))[0])
  const address = neighbours(member.hypervisor, persona).find(each => each.mac === mac)?.address
  return guest?.state === 'running' && address !== undefined
    ? `0/ip: ${address}; 0/ipv4/0: ${address}`
    : notInDatabase
}

export function vbdRecords(pool: Pool): Fields[] {
  const plugged = pool
    .list()
    .flatMap(({ vm, uuid }) =>
      disksOf(xmlOf(vm)).map(({ target, file }) =>
        vbdRecord(
          pool,
          { uuid: vbdUuid(pool, uuid, target), vm: uuid, device: target, id: vdiOf(file ?? '') },
          vm.running !== undefined,
        ),
      ),
    )
  const kept = pool.snapshots.flatMap(({ uuid, state }) =>
    disksOf(state.xml).map(({ target }) =>
      vbdRecord(
        pool,
        { uuid: vbdUuid(pool, uuid, target), vm: uuid, device: target, id: pool.snapshotDisk(uuid, target) },
        false,
      ),
    ),
  )
  return [...plugged, ...pool.vbds.map(each => vbdRecord(pool, each, false)), ...kept]
}

function vbdRecord(pool: Pool, { uuid, vm, device, id }: Pool['vbds'][number], isAttached: boolean): Fields {
  return {
    uuid,
    'vm-uuid': vm,
    'vdi-uuid': id,
    'vdi-name-label': pool.disks.get(id)?.name ?? notInDatabase,
    device,
    type: 'Disk',
    mode: 'RW',
    'currently-attached': String(isAttached),
  }
}

export function vbdUuid(pool: Pool, vm: string, target: string): string {
  return uuidFrom(`vbd ${vm} ${target} ${pool.reverts.get(vm) ?? 0}`)
}

export function vifUuid(pool: Pool, vm: string, mac: string): string {
  return uuidFrom(`vif ${vm} ${mac} ${pool.reverts.get(vm) ?? 0}`)
}

export function vifRecords(pool: Pool): Fields[] {
  const plugged = pool.list().flatMap(({ vm, uuid }) =>
    nicsOf(xmlOf(vm)).map((nic, place) => {
      const mac = macOf(nic) ?? ''
      const device = String(place)
      return vifRecord(
        pool,
        { uuid: vifUuid(pool, uuid, mac), vm: uuid, device, id: mac },
        vm.running !== undefined,
      )
    }),
  )
  return [...plugged, ...pool.vifs.map(each => vifRecord(pool, each, false))]
}

function vifRecord(pool: Pool, { uuid, vm, device, id }: Pool['vifs'][number], isAttached: boolean): Fields {
  return {
    uuid,
    'vm-uuid': vm,
    'network-uuid': pool.networkUuid,
    device,
    MAC: id,
    'currently-attached': String(isAttached),
  }
}

export function vdiRecords(pool: Pool): Fields[] {
  return [...pool.disks].map(([uuid, { name, bytes, isSnapshot }]) => ({
    uuid,
    'name-label': name,
    'sr-uuid': pool.srUuid,
    'virtual-size': String(bytes),
    'is-a-snapshot': String(isSnapshot),
  }))
}

export function srRecords(pool: Pool, isFull: boolean): Fields[] {
  const used = [...pool.disks.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  return [
    {
      uuid: pool.srUuid,
      'name-label': 'Local storage',
      type: 'ext',
      'content-type': 'user',
      'physical-size': String(srBytes),
      'physical-utilisation': String(isFull ? srBytes : Math.min(used, srBytes / 2)),
    },
  ]
}

export function hostRecords(pool: Pool, { xenserver, node, cpu }: ManagedHostPersona): Fields[] {
  const cpus = node.cells * node.sockets * node.cores * node.threads
  return pool.members.map(({ uuid, name, hypervisor }) => ({
    uuid,
    'name-label': name,
    'software-version': `product_version: ${xenserver?.version}; product_brand: ${xenserver?.brand}; build_number: ${xenserver?.build}; xapi: ${xenserver?.xapi}; xen: ${xenserver?.xen}; linux: ${xenserver?.linux}`,
    cpu_info: `cpu_count: ${cpus}; socket_count: ${node.sockets}; vendor: ${cpu.vendor_id}; modelname: ${cpu.name}`,
    'memory-total': String(node.memoryKiB * 1024),
    'memory-free': String(node.memoryKiB * 1024 - hypervisor.load.now.memoryBytes),
  }))
}

/** Snapshots that a fault has taken away are there no more. */
export function without(vanished: string | undefined, { name }: PoolSnapshot): boolean {
  return vanished !== undefined && new RegExp(vanished).test(name)
}

/** Records as `pp_record` of cli_printer.ml aligns them: right to the longest name, the first one left. */
export function listed(
  all: readonly Fields[],
  given: ReadonlyMap<string, string>,
  usual: readonly string[],
): string {
  const names = given.get('params')?.split(',') ?? usual
  const filters = [...given].filter(([key]) => key !== 'params')
  const found = all.filter(each => filters.every(([key, value]) => each[key] === value))
  return found
    .map(fields => {
      const known = names.filter(name => fields[name] !== undefined)
      const width = Math.max(...known.map(name => name.length))
      const lines = known.map((name, index) => {
        const tag = `${name} (${tags[name] ?? ' RO'})`
        const space = ' '.repeat(width - name.length + 4)
        return `${index === 0 ? `${tag}${space}` : `${space}${tag}`}: ${fields[name]}\n`
      })
      return `${lines.join('')}\n\n`
    })
    .join('')
}
