import { SystemError } from '../files/errno.js'
import { copyOfDisk } from '../guest.js'
import { bootImage } from './domain.js'
import type { Content } from './images.js'
import { installedOf, keptDisk, type Power } from './power.js'
import { Trouble } from './trouble.js'
import { type Snapshot, setState, type Vm, xmlOf } from './vm.js'
import { copyXml } from './xml.js'

/** How a machine is to stand once it has gone back. */
export type Wanted = 'as-it-was' | 'running' | 'paused'

/** Keeps a machine as it is now: its disk, and of one that runs its memory. */
export function takeSnapshot(power: Power, vm: Vm, name: string, description: string | undefined): void {
  if (vm.snapshots.has(name)) throw new Trouble('failed', `domain snapshot ${name} already exists`)
  const { running } = vm
  const image = running?.image ?? bootImage(xmlOf(vm))
  const content: Content = running
    ? { ...keptDisk(running.guest), ...installedOf(running) }
    : power.find(image)
  // What is kept needs room on the host's disk.
  if (power.tree.room.freeBytes <= 0) throw new SystemError('ENOSPC', image ?? '', 'write')
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

/** Takes a machine back to a snapshot of it. */
export async function revertTo(power: Power, vm: Vm, snapshot: Snapshot, wanted: Wanted): Promise<void> {
  if (vm.running) await power.off(vm, 'from snapshot', true)
  vm.current = snapshot.name
  const image = bootImage(snapshot.xml)
  const content: Content = {
    ...(snapshot.disk ? { disk: copyOfDisk(snapshot.disk) } : {}),
    ...(snapshot.installed ? { installed: snapshot.installed } : {}),
  }
  if (image !== undefined) power.write(image, content)
  const runs = wanted !== 'as-it-was' || snapshot.state === 'running' || snapshot.state === 'paused'
  // One that was off stays so, for the reason that it had.
  if (!runs) return
  await power.on(vm, { xml: copyXml(snapshot.xml), content, memory: snapshot.memory })
  const isPaused = wanted === 'paused' || (wanted === 'as-it-was' && snapshot.state === 'paused')
  if (isPaused) vm.running?.guest?.pause?.()
  setState(vm, isPaused ? 'paused' : 'running', 'from snapshot')
}

/** Forgets a snapshot: those that were made after it follow the one before it. */
export function deleteSnapshot(vm: Vm, { name, parent }: Snapshot): void {
  vm.snapshots.delete(name)
  if (vm.current === name) vm.current = parent
  for (const other of vm.snapshots.values()) {
    if (other.parent === name) vm.snapshots.set(other.name, { ...other, parent })
  }
}
