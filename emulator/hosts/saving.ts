import type { GuestMemory } from '../guest.js'
import { keepBlocks } from './devices.js'
import { installedOf, keptDisk, type Power } from './power.js'
import type { Running, Vm } from './vm.js'
import { copyXml, type Xml } from './xml.js'

/** A machine that was saved: it goes on from here, on its disk as that is then. */
export interface Saved {
  readonly xml: Xml
  readonly memory: GuestMemory | undefined
  /**
   * The guest itself, held still. It goes on with its connections, as a real one does, where it is restored on the disk
   * that it left; a second time, or on another disk, it is made anew of its memory.
   */
  held: Held | undefined
}

interface Held {
  readonly running: Running
  /** What its disk's image was left with. */
  readonly content: string | undefined
}

/** What a machine that runs goes on from. */
export function saveMachine({ xml, guest }: Running): Saved {
  return { xml: copyXml(xml), memory: guest?.copyMemory?.(), held: undefined }
}

/** Takes a machine from its host without ending its guest: its disks are left as they are. */
export function holdMachine(power: Power, vm: Vm, saved: Saved): void {
  const { running } = vm
  if (!running) return
  keepBlocks(power, running)
  const disk = keptDisk(running.guest)
  if (running.image !== undefined && disk.disk) {
    power.write(running.image, { ...disk, ...installedOf(running) })
  }
  power.letGo(vm)
  saved.held = { running, content: contentOf(power, running.image) }
}

/** Has a saved machine go on. */
export async function restoreMachine(power: Power, vm: Vm, saved: Saved): Promise<void> {
  const { xml, memory, held } = saved
  if (held && contentOf(power, held.running.image) === held.content) {
    power.demandRoom(held.running.share)
    saved.held = undefined
    power.takeOver(vm, held.running)
    held.running.guest?.resume?.()
    return
  }
  saved.held = undefined
  await held?.running.guest?.close()
  await power.onAgain(vm, copyXml(xml), memory)
}

function contentOf({ images, tree }: Power, image: string | undefined): string | undefined {
  return image === undefined ? undefined : images.read(tree, image).content
}
