import { setTimeout as wait } from 'node:timers/promises'
import { disksOf } from './domain.js'
import type { Hypervisor } from './hypervisor.js'
import { keptDisk, type Power } from './power.js'
import { isShared } from './site.js'
import { Trouble } from './trouble.js'
import { nameOf, setState, type Vm } from './vm.js'
import { copyXml } from './xml.js'

/** How a machine is to move. */
export interface Migration {
  /** Whether it is defined where it arrives. */
  readonly persistent: boolean
  /** Whether it is defined no more where it came from. */
  readonly undefineSource: boolean
  /** Whether its disks are copied, since the other host does not see them. */
  readonly copyStorage: boolean
  /** Whether it moves although its disks may not be the same ones there. */
  readonly unsafe: boolean
}

/** How long a guest stands still while it changes hosts, in ms. */
const pauseMs = 100

/** Moves a machine that runs to another host: its guest goes on there. Throws Trouble; it then goes on where it was. */
export async function migrate(
  power: Power,
  vm: Vm,
  destination: Hypervisor,
  how: Migration,
): Promise<{ readonly isGone: boolean }> {
  const { running } = vm
  if (!running) throw new Trouble('invalid', 'domain is not running')
  if (vm.snapshots.size > 0) {
    throw new Trouble('invalid', `cannot migrate domain with ${vm.snapshots.size} snapshots`)
  }
  const files = disksOf(running.xml).flatMap(({ kind, file }) =>
    kind === 'disk' && file !== undefined ? [file] : [],
  )
  if (!how.unsafe && !how.copyStorage && !files.every(isShared)) {
    throw new Trouble('unsafe', 'Migration without shared storage is unsafe')
  }
  destination.demandPlace(nameOf(vm), running)
  if (how.copyStorage) {
    for (const file of files) {
      const { content: _, backing: __, backingFormat: ___, ...head } = power.images.read(power.tree, file)
      const found = file === running.image ? keptDisk(running.guest) : {}
      const content = destination.images.keep({ ...power.images.find(power.tree, file), ...found })
      destination.images.write(destination.tree, file, { ...head, content })
    }
  }
  destination.demandFiles(files)
  running.guest?.pause?.()
  await wait(pauseMs)
  if (vm.running !== running) throw new Trouble('failed', 'domain is not running')
  const wasPaused = vm.state === 'paused'
  const given = vm.persistent ?? running.xml
  power.letGo(vm)
  setState(vm, 'shut off', 'migrated')
  if (how.undefineSource) vm.persistent = undefined
  destination.receive(running, how.persistent ? copyXml(given) : undefined, wasPaused)
  // Its connections came through the host that it has left.
  running.guest?.cut()
  if (!wasPaused) running.guest?.resume?.()
  return { isGone: vm.persistent === undefined }
}
