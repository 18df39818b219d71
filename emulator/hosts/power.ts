import { SystemError } from '../files/errno.js'
import type { FileTree } from '../files/tree.js'
import {
  copyOfDisk,
  type EmulatedGuest,
  type GuestDisk,
  type GuestMemory,
  startEmulatedGuest,
} from '../guest.js'
import { LoadCount } from './capacity.js'
import { openConsole } from './consoles.js'
import { addedDevices, keepBlocks } from './devices.js'
import { bootImage, currentKiB, hardwareOf, macOf, nicsOf, vcpusOf } from './domain.js'
import type { HypervisorRequest } from './hypervisor.js'
import { type Content, Images } from './images.js'
import { accessTrouble, Trouble } from './trouble.js'
import { nameOf, type Running, type Share, setState, type Vm } from './vm.js'
import { text, type Xml } from './xml.js'

/** What a machine is switched on with. */
export interface Start {
  readonly xml: Xml
  readonly content: Content
  /** Goes on from here instead of booting. */
  readonly memory?: GuestMemory | undefined
}

/** Switches the machines of one host on and off: their guests, their disks, and what they take of the host. */
export class Power {
  readonly images: Images
  readonly load = new LoadCount()
  readonly #request: HypervisorRequest
  #nextId = 1

  constructor(request: HypervisorRequest) {
    this.#request = request
    this.images = new Images(request.store)
  }

  get tree(): FileTree {
    return this.#request.tree()
  }

  /** What a guest finds on an image. */
  find(image: string | undefined): Content {
    if (image === undefined) return {}
    try {
      return this.images.find(this.tree, image)
    } catch (error) {
      throw accessTrouble(image, error)
    }
  }

  async on(vm: Vm, { xml, content, memory }: Start): Promise<void> {
    const image = bootImage(xml)
    const share: Share = { vcpus: vcpusOf(xml).now, memoryBytes: currentKiB(xml) * 1024 }
    this.demandRoom(share)
    const devices = addedDevices(this, xml)
    const heard = this.#earsFor(vm, xml)
    const guest = await this.#startGuest({ xml, heard, share, devices }, content, memory)
    vm.running = {
      id: this.#nextId++,
      xml,
      share,
      startVcpus: share.vcpus,
      devices,
      heard,
      guest,
      image,
      installed: content.installed,
      startedMs: Date.now(),
    }
    this.load.add(share)
  }

  /** Switches a machine on that goes on from its memory, on its disk as that is now. */
  onAgain(vm: Vm, xml: Xml, memory: GuestMemory | undefined): Promise<void> {
    return this.on(vm, { xml, content: this.find(bootImage(xml)), memory })
  }

  /** A number that a machine had which never ran. */
  spendId(): number {
    return this.#nextId++
  }

  /** The reset button: another guest on the same disks; the machine itself never ends. */
  async restart(vm: Vm): Promise<void> {
    const { running } = vm
    if (!running) return
    const content = { ...keptDisk(running.guest), ...installedOf(running) }
    await running.guest?.close()
    const guest = await this.#startGuest(running, content, undefined)
    if (vm.running !== running) return guest?.close()
    Object.assign(running, { guest, startVcpus: running.share.vcpus })
    if (vm.state === 'paused') guest?.pause?.()
  }

  /** With `discards` its disk is not written back: it goes on, or goes back. */
  async off(vm: Vm, reason: string, discards = false): Promise<void> {
    const { running } = vm
    if (!running) return
    const disk = keptDisk(running.guest)
    const name = nameOf(vm)
    this.letGo(vm)
    setState(vm, 'shut off', reason)
    if (!vm.persistent) this.#request.forget(vm)
    keepBlocks(this, running)
    await running.guest?.close()
    if (!discards && running.image !== undefined && disk.disk) {
      this.write(running.image, { ...disk, ...installedOf(running) })
    }
    if (!discards) this.#request.onEnd?.({ name, id: running.id, reason })
  }

  /** Takes a machine that runs from elsewhere as it is. */
  takeOver(vm: Vm, running: Running): void {
    const { heard, share, xml } = running
    Object.assign(heard, this.#earsFor(vm, xml))
    vm.running = { ...running, id: this.#nextId++ }
    this.load.add(share)
  }

  /** The machine no longer runs here; its guest goes on or ends as whoever calls it says. */
  letGo(vm: Vm): void {
    const { running } = vm
    vm.running = undefined
    if (running) this.load.remove(running.share)
  }

  /** Changes what a machine that runs takes of the host. */
  resize(running: Running, share: Partial<Share>): void {
    const next = { ...running.share, ...share }
    this.load.remove(running.share)
    running.share = next
    this.load.add(next)
  }

  /** Throws where the host has no memory left for it. */
  demandRoom({ memoryBytes }: Share): void {
    if (this.load.now.memoryBytes + memoryBytes > this.#request.nodeMemoryKiB * 1024) {
      throw new Trouble('internal', 'process exited while connecting to monitor: Cannot allocate memory')
    }
  }

  /** Leaves a content on an image, if that is still there. */
  write(image: string, content: Content): void {
    try {
      const head = this.images.read(this.tree, image)
      this.images.write(this.tree, image, { ...head, content: this.images.keep(content) })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
    }
  }

  #earsFor(vm: Vm, xml: Xml): Running['heard'] {
    return {
      off: () => void this.off(vm, 'shutdown').catch(() => {}),
      serial: openConsole(this.tree, xml, this.#request.consoles),
    }
  }

  async #startGuest(
    { xml, heard, share, devices }: Pick<Running, 'xml' | 'heard' | 'share' | 'devices'>,
    { installed, disk }: Content,
    memory: GuestMemory | undefined,
  ): Promise<EmulatedGuest | undefined> {
    if (!installed) return undefined
    const { personaFolders, persona, users, hostKey, faults } = installed
    const guest = await startEmulatedGuest(
      {
        name: text(xml, 'name') ?? '',
        persona,
        personaFolders: [...personaFolders],
        platform: this.#request.platform,
        hardware: hardwareOf(xml),
        users: users.map(user => ({ ...user, authorizedKeys: [...(user.authorizedKeys ?? [])] })),
        hostKey,
        ...(faults === undefined ? {} : { faults }),
      },
      {
        machine: {
          uuid: text(xml, 'uuid') ?? '',
          macAddress: macOf(nicsOf(xml)[0]) ?? '',
          maxVcpus: vcpusOf(xml).most,
        },
        ...(disk === undefined ? {} : { disk: copyOfDisk(disk) }),
        ...(memory === undefined ? {} : { memory }),
        serial: text => heard.serial(text),
        onOff: () => heard.off(),
      },
    )
    for (const device of devices) guest.plug(device)
    guest.setMemory(share.memoryBytes)
    return guest
  }
}

/** What is on the disk of a guest that runs. */
export function keptDisk(guest: EmulatedGuest | undefined): { disk?: GuestDisk } {
  const disk = guest?.copyDisk?.()
  return disk ? { disk } : {}
}

export function installedOf({ installed }: Running): Pick<Content, 'installed'> {
  return installed ? { installed } : {}
}
