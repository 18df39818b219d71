import { posix } from 'node:path'
import { disksOf, uuidFrom } from '../domain.js'
import type { Hypervisor } from '../hypervisor.js'
import { nameOf, type Snapshot, uuidOf, type Vm, xmlOf } from '../vm.js'
import { uuidInvalid, XeError } from './errors.js'

/** A host of a pool. */
export interface Member {
  readonly uuid: string
  readonly name: string
  readonly hypervisor: Hypervisor
}

/** A machine of a pool, on the member that has it: the one that it runs on, or ran on last. */
export interface PoolVm {
  readonly uuid: string
  readonly name: string
  readonly vm: Vm
  readonly member: Member
}

/** A snapshot, which xapi keeps as a template that is a snapshot. */
export interface PoolSnapshot {
  readonly uuid: string
  readonly name: string
  /** The UUID of its machine. */
  readonly of: string
  readonly state: Snapshot
}

/** A virtual disk. */
export interface PoolDisk {
  readonly name: string
  readonly bytes: number
  readonly isSnapshot: boolean
}

/** A disk or a card that is not plugged in. */
export interface Unplugged {
  readonly uuid: string
  readonly vm: string
  readonly device: string
  /** The disk's UUID, or the card's address. */
  readonly id: string
}

/** The objects of one pool: machines are those of its members' hypervisors, the rest is kept here as in xapi's database. */
export class Pool {
  readonly srUuid: string
  readonly networkUuid: string
  readonly members: Member[] = []
  readonly snapshots: PoolSnapshot[] = []
  readonly disks = new Map<string, PoolDisk>()
  readonly vbds: Unplugged[] = []
  readonly vifs: Unplugged[] = []
  /** VBDs whose disks go with their machine. */
  readonly owners = new Set<string>()
  /** Machines whose memory lies on a disk, and what they go on from. */
  readonly suspended = new Map<string, PoolSnapshot>()
  /** How often a machine went back: its devices have other UUIDs each time. */
  readonly reverts = new Map<string, number>()
  #made = 0

  constructor(words: string) {
    this.srUuid = uuidFrom(`sr ${words}`)
    this.networkUuid = uuidFrom(`network ${words}`)
  }

  /** Where the disks lie, on every member. */
  get folder(): string {
    return `/var/run/sr-mount/${this.srUuid}`
  }

  /** Another UUID each time. */
  newUuid(): string {
    this.#made += 1
    return uuidFrom(`${this.srUuid} ${this.#made}`)
  }

  fileOf(vdi: string): string {
    return posix.join(this.folder, `${vdi}.vhd`)
  }

  list(): PoolVm[] {
    return this.members.flatMap(member =>
      member.hypervisor.list().map(vm => ({ uuid: uuidOf(vm), name: nameOf(vm), vm, member })),
    )
  }

  /** Throws XeError. Without a selector a verb is for all machines. */
  find(uuid: string | undefined): PoolVm {
    const found = this.list().find(each => each.uuid === uuid)
    if (found) return found
    throw uuid === undefined
      ? new XeError('Multiple matches VMs found. --multiple required to complete the operation')
      : uuidInvalid('VM', uuid)
  }

  findSnapshot(uuid: string): PoolSnapshot {
    const found = this.snapshots.find(each => each.uuid === uuid)
    if (!found) throw uuidInvalid('VM', uuid)
    return found
  }

  /** By UUID or by name, as `get_host_by_name_or_id` of cli_operations.ml looks. */
  findMember(word: string): Member {
    const found = this.members.find(({ uuid, name }) => uuid === word || name === word)
    if (!found) throw new XeError('No matching hosts found')
    return found
  }

  powerState({ uuid, vm }: Pick<PoolVm, 'uuid' | 'vm'>): string {
    if (this.suspended.has(uuid)) return 'suspended'
    if (!vm.running) return 'halted'
    return vm.state === 'paused' ? 'paused' : 'running'
  }

  /** The UUID of the disk of a snapshot at a place. */
  snapshotDisk(snapshot: string, target: string): string {
    return uuidFrom(`disk ${snapshot} ${target}`)
  }

  /** Keeps a machine as it is now; its disks are disks of their own. */
  keepSnapshot(vm: PoolVm, uuid: string, name: string): PoolSnapshot {
    const { hypervisor } = vm.member
    hypervisor.snapshot(vm.vm, uuid, undefined)
    const state = hypervisor.findSnapshot(vm.vm, uuid)
    hypervisor.deleteSnapshot(vm.vm, uuid)
    const snapshot = { uuid, name, of: vm.uuid, state }
    this.snapshots.push(snapshot)
    for (const { target, file } of disksOf(xmlOf(vm.vm))) {
      const { name: disk = '', bytes = 0 } = this.disks.get(vdiOf(file ?? '')) ?? {}
      this.disks.set(this.snapshotDisk(uuid, target), { name: disk, bytes, isSnapshot: true })
    }
    return snapshot
  }
}

/** A disk is called by its file. */
export function vdiOf(file: string): string {
  return posix.basename(file, '.vhd')
}
