import { SystemError } from '../files/errno.js'
import type { FileTree } from '../files/tree.js'
import { type EmulatedGuest, type GuestDisk, type GuestMemory, startEmulatedGuest } from '../guest.js'
import { LoadCount } from './capacity.js'
import { completed, disksOf, hardwareOf, macOf, memoryKiB, nicsOf } from './domain.js'
import type { HostFaults } from './faults.js'
import { type Content, Images } from './images.js'
import { Trouble } from './trouble.js'
import { makeVm, nameOf, type Running, type Snapshot, uuidOf, type Vm, xmlOf } from './vm.js'
import { copyXml, text, type Xml } from './xml.js'

/** What a hypervisor is made of. */
export interface HypervisorRequest {
  /** The host's persona, by name: what its guests see. */
  readonly platform: string
  /** The first three bytes of MAC addresses that it makes. */
  readonly macPrefix: string
  readonly nodeMemoryKiB: number
  readonly faults: HostFaults
  /** The host's own disk. */
  tree(): FileTree
}

/** The virtual machines of one host, whatever front they are asked through. Calls throw {@link Trouble}. */
export class Hypervisor {
  readonly images = new Images()
  readonly load = new LoadCount()
  readonly #request: HypervisorRequest
  readonly #vms: Vm[] = []
  #nextId = 1

  constructor(request: HypervisorRequest) {
    this.#request = request
  }

  get tree(): FileTree {
    return this.#request.tree()
  }

  list(): readonly Vm[] {
    return this.#vms
  }

  /** By name, id or UUID, as they are tried by all fronts. */
  find(word: string): Vm {
    const byId = /^\d+$/.test(word) ? this.#vms.find(vm => String(vm.running?.id) === word) : undefined
    const found = byId ?? this.#vms.find(vm => uuidOf(vm) === word || nameOf(vm) === word)
    if (!found) throw new Trouble('no-domain', `no domain with matching name '${word}'`)
    return found
  }

  define(given: Xml): Vm {
    const name = text(given, 'name')
    if (given.name !== 'domain') {
      throw new Trouble('xml', `unexpected root element <${given.name}>, expecting <domain>`)
    }
    if (name === undefined) throw new Trouble('xml', 'missing name information')
    const xml = completed(given, this.#request.macPrefix)
    const known = this.#vms.find(vm => nameOf(vm) === name)
    if (known) {
      if (uuidOf(known) !== text(xml, 'uuid')) {
        throw new Trouble('failed', `domain '${name}' already exists with uuid ${uuidOf(known)}`)
      }
      known.persistent = xml
      return known
    }
    const vm = makeVm(xml)
    this.#vms.push(vm)
    return vm
  }

  undefine(vm: Vm): void {
    vm.persistent = undefined
    if (!vm.running) this.#forget(vm)
  }

  async start(vm: Vm, { paused = false } = {}): Promise<void> {
    if (vm.running) throw new Trouble('invalid', 'domain is already running')
    if (!vm.persistent) throw new Trouble('no-domain', `no domain with matching name '${nameOf(vm)}'`)
    const xml = copyXml(vm.persistent)
    const image = bootImage(xml)
    const content = image === undefined ? {} : this.#find(image)
    await this.#power(vm, xml, image, content, undefined)
    if (paused) this.suspend(vm)
    else set(vm, 'running', 'booted')
  }

  /** Presses the power button. The guest may take its time, or not heed it. */
  shutdown(vm: Vm): void {
    this.#demandRunning(vm)
    if (this.#isStuck(vm)) {
      set(vm, 'in shutdown', 'user')
      return
    }
    const guest = vm.running?.guest
    if (guest?.pressPower) guest.pressPower()
    else void this.#powerOff(vm, 'shutdown').catch(() => {})
  }

  async reboot(vm: Vm): Promise<void> {
    this.#demandRunning(vm)
    await this.reset(vm)
  }

  async destroy(vm: Vm, reason = 'destroyed'): Promise<void> {
    this.#demandRunning(vm)
    if (this.#isStuck(vm) && vm.state === 'in shutdown') {
      throw new Trouble(
        'system',
        `Failed to terminate process ${2000 + (vm.running?.id ?? 0)} with SIGKILL: Device or resource busy`,
      )
    }
    await this.#powerOff(vm, reason)
  }

  suspend(vm: Vm): void {
    this.#demandRunning(vm)
    vm.running?.guest?.pause?.()
    set(vm, 'paused', 'user')
  }

  resume(vm: Vm): void {
    this.#demandRunning(vm)
    if (vm.state === 'running') throw new Trouble('invalid', 'domain is already running')
    vm.running?.guest?.resume?.()
    set(vm, 'running', 'unpaused')
  }

  /** The reset button: the guest starts anew from its disk as it is. */
  async reset(vm: Vm): Promise<void> {
    this.#demandRunning(vm)
    const { running } = vm
    if (!running) return
    const content = { ...kept(running.guest), ...installedOf(running) }
    const { state, reason } = vm
    await this.#powerOff(vm, 'destroyed', true)
    await this.#power(vm, running.xml, running.image, content, undefined, running.id)
    set(vm, state, reason)
  }

  /** Linux takes it for an unknown interrupt, notes it and goes on. */
  nmi(vm: Vm): void {
    this.#demandRunning(vm)
  }

  snapshot(vm: Vm, name: string, description: string | undefined): void {
    if (vm.snapshots.has(name)) throw new Trouble('failed', `domain snapshot ${name} already exists`)
    const { running } = vm
    const image = running?.image ?? bootImage(xmlOf(vm))
    const content: Content = running
      ? { ...kept(running.guest), ...installedOf(running) }
      : image === undefined
        ? {}
        : this.#find(image)
    // What is kept needs room on the host's disk.
    if (this.tree.room.freeBytes <= 0) throw new SystemError('ENOSPC', image ?? '', 'write')
    vm.snapshots.set(name, {
      name,
      description,
      parent: vm.current,
      state: vm.state,
      madeSec: Math.floor(Date.now() / 1000),
      xml: copyXml(xmlOf(vm)),
      disk: content.disk,
      installed: content.installed,
      memory: running?.guest?.copyMemory?.(),
    })
    vm.current = name
  }

  findSnapshot(vm: Vm, name: string): Snapshot {
    const found = vm.snapshots.get(name)
    const vanished = this.#request.faults.vanishedSnapshot
    if (!found || (vanished && new RegExp(vanished.name).test(name))) {
      throw new Trouble('no-snapshot', `no domain snapshot with matching name '${name}'`)
    }
    return found
  }

  async revert(vm: Vm, name: string, wanted: 'as-it-was' | 'running' | 'paused'): Promise<void> {
    const snapshot = this.findSnapshot(vm, name)
    if (vm.running) await this.#powerOff(vm, 'from snapshot', true)
    vm.current = name
    const image = bootImage(snapshot.xml)
    const content: Content = {
      ...(snapshot.disk ? { disk: { tree: snapshot.disk.tree.copy() } } : {}),
      ...(snapshot.installed ? { installed: snapshot.installed } : {}),
    }
    if (image !== undefined) this.#write(image, content)
    const runs = wanted !== 'as-it-was' || snapshot.state === 'running' || snapshot.state === 'paused'
    // One that was off stays so, for the reason that it had.
    if (!runs) return
    await this.#power(vm, copyXml(snapshot.xml), image, content, snapshot.memory)
    const isPaused = wanted === 'paused' || (wanted === 'as-it-was' && snapshot.state === 'paused')
    if (isPaused) vm.running?.guest?.pause?.()
    set(vm, isPaused ? 'paused' : 'running', 'from snapshot')
  }

  deleteSnapshot(vm: Vm, name: string): void {
    const { parent } = this.findSnapshot(vm, name)
    vm.snapshots.delete(name)
    if (vm.current === name) vm.current = parent
    for (const other of vm.snapshots.values()) {
      if (other.parent === name) vm.snapshots.set(other.name, { ...other, parent })
    }
  }

  /** The machine that has a card of that address, if it runs. */
  byMac(mac: string): Vm | undefined {
    return this.#vms.find(vm => vm.running && nicsOf(vm.running.xml).some(nic => macOf(nic) === mac))
  }

  /** Ends everything, as a power failure does. */
  async close(): Promise<void> {
    await Promise.all(this.#vms.map(vm => (vm.running ? this.#powerOff(vm, 'destroyed', true) : undefined)))
  }

  #demandRunning(vm: Vm): void {
    if (!vm.running) throw new Trouble('invalid', 'domain is not running')
  }

  #isStuck(vm: Vm): boolean {
    const stuck = this.#request.faults.stuckInShutdown
    return stuck !== undefined && new RegExp(stuck.vm).test(nameOf(vm))
  }

  #find(image: string): Content {
    try {
      return this.images.find(this.tree, image)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      throw new Trouble(
        'system',
        `Cannot access storage file '${image}' (as uid:107, gid:107): ${error.text}`,
      )
    }
  }

  async #power(
    vm: Vm,
    xml: Xml,
    image: string | undefined,
    { installed, disk }: Content,
    memory: GuestMemory | undefined,
    id = this.#nextId++,
  ): Promise<void> {
    const hardware = hardwareOf(xml)
    const taken = this.load.now.memoryBytes / 1024
    if (taken + memoryKiB(xml) > this.#request.nodeMemoryKiB) {
      throw new Trouble('internal', 'process exited while connecting to monitor: Cannot allocate memory')
    }
    let guest: EmulatedGuest | undefined
    if (installed) {
      const { personaFolders, persona, users, hostKey, faults } = installed
      guest = await startEmulatedGuest(
        {
          name: nameOf(vm),
          persona,
          personaFolders: [...personaFolders],
          platform: this.#request.platform,
          hardware,
          users: users.map(user => ({ ...user, authorizedKeys: [...(user.authorizedKeys ?? [])] })),
          hostKey,
          ...(faults === undefined ? {} : { faults }),
        },
        {
          machine: { uuid: text(xml, 'uuid') ?? '', macAddress: macOf(nicsOf(xml)[0]) ?? '' },
          ...(disk === undefined ? {} : { disk: { tree: disk.tree.copy() } }),
          ...(memory === undefined ? {} : { memory }),
          onOff: () => void this.#powerOff(vm, 'shutdown').catch(() => {}),
        },
      )
    }
    vm.running = { id, xml, hardware, guest, image, installed, startedMs: Date.now() }
    this.load.add(hardware)
  }

  /** With `discards` its disk is not written back: it goes on, or goes back. */
  async #powerOff(vm: Vm, reason: string, discards = false): Promise<void> {
    const { running } = vm
    if (!running) return
    vm.running = undefined
    this.load.remove(running.hardware)
    const disk = kept(running.guest)
    set(vm, 'shut off', reason)
    if (!vm.persistent) this.#forget(vm)
    await running.guest?.close()
    if (!discards && running.image !== undefined && disk.disk) {
      this.#write(running.image, { ...disk, ...installedOf(running) })
    }
  }

  /** Leaves a content on an image, if that is still there. */
  #write(image: string, content: Content): void {
    try {
      const head = this.images.read(this.tree, image)
      this.images.write(this.tree, image, { ...head, content: this.images.keep(content) })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
    }
  }

  #forget(vm: Vm): void {
    const place = this.#vms.indexOf(vm)
    if (place >= 0) this.#vms.splice(place, 1)
  }
}

function set(vm: Vm, state: Vm['state'], reason: string): void {
  vm.state = state
  vm.reason = reason
}

/** The first disk's image. */
function bootImage(xml: Xml): string | undefined {
  return disksOf(xml).find(({ kind, file }) => kind === 'disk' && file !== undefined)?.file
}

function kept(guest: EmulatedGuest | undefined): { disk?: GuestDisk } {
  const disk = guest?.copyDisk?.()
  return disk ? { disk } : {}
}

function installedOf({ installed }: Running): Pick<Content, 'installed'> {
  return installed ? { installed } : {}
}
