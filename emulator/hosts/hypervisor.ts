import type { FileTree } from '../files/tree.js'
import type { LoadCount } from './capacity.js'
import type { ConsoleRules } from './consoles.js'
import { bootImage, completed, macOf, nicsOf } from './domain.js'
import type { HostFaults } from './faults.js'
import { type Affects, attach, detach, setMemory, setVcpus } from './hotplug.js'
import type { ImageStore, Images } from './images.js'
import { type Migration, migrate } from './migration.js'
import type { Leases } from './network.js'
import { Power } from './power.js'
import { holdMachine, restoreMachine, type Saved, saveMachine } from './saving.js'
import { deleteSnapshot, revertTo, takeSnapshot, type Wanted } from './snapshots.js'
import { Trouble } from './trouble.js'
import { makeVm, nameOf, type Running, type Snapshot, setState, uuidOf, type Vm } from './vm.js'
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
  /** What is on images: one store for all hosts that share files. */
  readonly store: ImageStore
  /** Who has which address: one table for all hosts that guests move between. */
  readonly leases: Leases
  readonly consoles: ConsoleRules
  /** Told of a machine that has ended and is defined no more. */
  forget(vm: Vm): void
  /** Told of every machine that has ended for good: its name, its number, and why. */
  onEnd?(end: Ending): void
}

/** The end of a machine that ran. */
export interface Ending {
  readonly name: string
  readonly id: number
  readonly reason: string
}

/** The virtual machines of one host, whatever front they are asked through. Calls throw {@link Trouble}. */
export class Hypervisor {
  readonly #request: Omit<HypervisorRequest, 'forget'>
  readonly #power: Power
  readonly #vms: Vm[] = []
  readonly #held = new Set<Saved>()

  constructor(request: Omit<HypervisorRequest, 'forget'>) {
    this.#request = request
    this.#power = new Power({ ...request, forget: vm => this.#forget(vm) })
  }

  get tree(): FileTree {
    return this.#power.tree
  }

  get images(): Images {
    return this.#power.images
  }

  /** What runs here, by the host's own count. */
  get load(): LoadCount {
    return this.#power.load
  }

  get leases(): Leases {
    return this.#request.leases
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
    await this.#power.on(vm, { xml, content: this.#power.find(bootImage(xml)) })
    if (paused) this.suspend(vm)
    else setState(vm, 'running', 'booted')
  }

  /** A number that a machine had which never ran. */
  spendId(): number {
    return this.#power.spendId()
  }

  /** What a machine goes on from; it is left paused. */
  save(vm: Vm): Saved {
    this.#demandRunning(vm)
    this.suspend(vm)
    const saved = vm.running && saveMachine(vm.running)
    if (!saved) throw new Trouble('invalid', 'domain is not running')
    return saved
  }

  /** Takes a machine that was saved from the host. */
  hold(vm: Vm, saved: Saved): void {
    const ending = { name: nameOf(vm), id: vm.running?.id ?? 0, reason: 'saved' }
    holdMachine(this.#power, vm, saved)
    this.#held.add(saved)
    setState(vm, 'shut off', 'saved')
    if (!vm.persistent) this.#forget(vm)
    this.#request.onEnd?.(ending)
  }

  /** Has a saved machine go on, as one that is not defined. */
  async restore(saved: Saved, { paused = false } = {}): Promise<Vm> {
    const vm = makeVm(undefined)
    await restoreMachine(this.#power, vm, saved)
    this.#held.delete(saved)
    this.#vms.push(vm)
    if (paused) this.suspend(vm)
    else setState(vm, 'running', 'restored')
    return vm
  }

  /** Presses the power button. The guest may take its time, or not heed it. */
  shutdown(vm: Vm): void {
    this.#demandRunning(vm)
    if (this.#isStuck(vm)) {
      setState(vm, 'in shutdown', 'user')
      return
    }
    const guest = vm.running?.guest
    if (guest?.pressPower) guest.pressPower()
    else void this.#power.off(vm, 'shutdown').catch(() => {})
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
    await this.#power.off(vm, reason)
  }

  suspend(vm: Vm): void {
    this.#demandRunning(vm)
    vm.running?.guest?.pause?.()
    setState(vm, 'paused', 'user')
  }

  resume(vm: Vm): void {
    this.#demandRunning(vm)
    if (vm.state === 'running') throw new Trouble('invalid', 'domain is already running')
    vm.running?.guest?.resume?.()
    setState(vm, 'running', 'unpaused')
  }

  /** The reset button: the guest starts anew from its disk as it is. */
  async reset(vm: Vm): Promise<void> {
    this.#demandRunning(vm)
    await this.#power.restart(vm)
  }

  /** Interrupts a guest so that it cannot look away. */
  nmi(vm: Vm): void {
    this.#demandRunning(vm)
    vm.running?.guest?.nmi()
  }

  /** Gives a machine a disk or a network card, from its XML. */
  attach(vm: Vm, device: Xml, affects: Affects): void {
    attach(this.#power, vm, device, affects, this.#request.macPrefix)
  }

  /** Takes the disk of that target, or the card of that address; it stays where the guest does not let go of it. */
  detach(vm: Vm, device: Xml, affects: Affects): void {
    detach(this.#power, vm, device, affects)
  }

  /** Changes how many of its vCPUs a machine has: never more than its maximum, under QEMU never fewer than at its start. */
  setVcpus(vm: Vm, count: number, affects: Affects): void {
    setVcpus(this.#power, vm, count, affects)
  }

  /** Has the balloon leave a machine so much of its memory. */
  setMemory(vm: Vm, kib: number, affects: Affects): void {
    setMemory(this.#power, vm, kib, affects)
  }

  /** Moves a machine that runs to another host; its guest goes on there. */
  async migrate(vm: Vm, destination: Hypervisor, how: Migration): Promise<void> {
    if (destination === this) throw new Trouble('internal', 'Attempt to migrate guest to the same host')
    const { isGone } = await migrate(this.#power, vm, destination, how)
    if (isGone) this.#forget(vm)
  }

  /** Throws where a machine that comes from another host has no place here. */
  demandPlace(name: string, { share, xml }: Running): void {
    const known = this.#vms.find(vm => nameOf(vm) === name)
    if (known?.running) throw new Trouble('invalid', `domain '${name}' is already active`)
    if (known && uuidOf(known) !== text(xml, 'uuid')) {
      throw new Trouble('failed', `domain '${name}' already exists with uuid ${uuidOf(known)}`)
    }
    this.#power.demandRoom(share)
  }

  /** Throws where one of the files is not here. */
  demandFiles(files: readonly string[]): void {
    for (const file of files) this.#power.find(file)
  }

  /** Takes a machine over that ran on another host until now. */
  receive(running: Running, persistent: Xml | undefined, isPaused: boolean): void {
    const known = this.#vms.find(vm => nameOf(vm) === text(running.xml, 'name'))
    const vm = known ?? makeVm(persistent)
    if (persistent) vm.persistent = persistent
    this.#power.takeOver(vm, running)
    setState(vm, isPaused ? 'paused' : 'running', 'migrated')
    if (!known) this.#vms.push(vm)
  }

  /** Halts a guest that runs for as long as this host takes to save its memory, on the clock of who asks for it. */
  async halt(vm: Vm, sleep: (ms: number) => Promise<void>): Promise<void> {
    const ms = this.#request.faults.slowSaves?.ms ?? 0
    if (ms === 0 || vm.state !== 'running') return
    const { guest } = vm.running ?? {}
    guest?.pause?.()
    setState(vm, 'paused', 'saving')
    await sleep(ms)
    guest?.resume?.()
    setState(vm, 'running', 'unpaused')
  }

  snapshot(vm: Vm, name: string, description: string | undefined): void {
    takeSnapshot(this.#power, vm, name, description)
  }

  findSnapshot(vm: Vm, name: string): Snapshot {
    const found = vm.snapshots.get(name)
    const vanished = this.#request.faults.vanishedSnapshot
    if (!found || (vanished && new RegExp(vanished.name).test(name))) {
      throw new Trouble('no-snapshot', `no domain snapshot with matching name '${name}'`)
    }
    return found
  }

  async revert(vm: Vm, name: string, wanted: Wanted): Promise<void> {
    await revertTo(this.#power, vm, this.findSnapshot(vm, name), wanted)
  }

  deleteSnapshot(vm: Vm, name: string): void {
    deleteSnapshot(vm, this.findSnapshot(vm, name))
  }

  /** The machine that has a card of that address, if it runs. */
  byMac(mac: string): Vm | undefined {
    return this.#vms.find(vm => vm.running && nicsOf(vm.running.xml).some(nic => macOf(nic) === mac))
  }

  /** Ends everything, as a power failure does. */
  async close(): Promise<void> {
    await Promise.all([...this.#held].map(({ held }) => held?.running.guest?.close()))
    await Promise.all(this.#vms.map(vm => this.#power.off(vm, 'destroyed', true)))
  }

  #demandRunning(vm: Vm): void {
    if (!vm.running) throw new Trouble('invalid', 'domain is not running')
  }

  #isStuck(vm: Vm): boolean {
    const stuck = this.#request.faults.stuckInShutdown
    return stuck !== undefined && new RegExp(stuck.vm).test(nameOf(vm))
  }

  #forget(vm: Vm): void {
    const place = this.#vms.indexOf(vm)
    if (place >= 0) this.#vms.splice(place, 1)
  }
}
