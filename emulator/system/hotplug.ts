import { type Device, putIn, takeOut } from '../hardware/machine.js'
import { isAtLeast } from '../versions.js'
import { knownCards } from './cards.js'
import type { LiveContext } from './context.js'
import { knownDisks, seatDisks } from './disks.js'
import { presentCpus, switchCpu } from './processors.js'

/** What the kernel of this boot does when its machine changes. */
export interface Hotplug {
  plug(device: Device): void
  unplug(device: Device): void
  setVcpus(count: number): void
}

/** Makes the kernel notice what comes and goes. */
export function hotplugOf(context: LiveContext): Hotplug {
  const { machine, system, persona } = context
  const say = (text: string, level = 6): void =>
    system.log.add(text, Number(system.clock.uptimeNs()) / 1e9, level)
  return {
    plug: device => {
      if (persona.lifecycle?.findsNewDevices === false) return
      putIn(machine, device)
      if (device.kind === 'nic') {
        knownCards(context)
        return
      }
      seatDisks(context)
      const disk = knownDisks(context).find(({ blocks }) => blocks === device.blocks)
      if (disk) say(diskLine(persona.kernel.release, disk), 5)
    },
    unplug: device => {
      takeOut(machine, device)
      if (device.kind === 'disk') seatDisks(context)
    },
    setVcpus: count => {
      const before = presentCpus(context).length
      machine.live.vcpus = count
      for (let cpu = count; cpu < before; cpu++) {
        switchCpu(context, cpu, true)
        say(`smpboot: CPU ${cpu} is now offline`)
      }
      for (let cpu = before; cpu < count; cpu++) {
        say(`CPU${cpu} has been hot-added`)
        switchCpu(context, cpu, persona.plugging?.newCpus === 'online')
      }
    },
  }
}

/** drivers/block/virtio_blk.c has told capacities since Linux 4.17; before, the partition check said what it found. */
function diskLine(release: string, { name, bytes, bus }: ReturnType<typeof knownDisks>[number]): string {
  const sectors = Math.floor(bytes / 512)
  const sizes = `(${threeDigits(bytes, 1000)}B/${threeDigits(bytes, 1024)}iB)`
  if (bus === 'scsi') return `sd 2:0:0:1: [${name}] ${sectors} 512-byte logical blocks: ${sizes}`
  return bus === 'virtio' && isAtLeast(release, '4.17')
    ? `virtio_blk virtio5: [${name}] ${sectors} 512-byte logical blocks ${sizes}`
    : ` ${name}: unknown partition table`
}

/** Three digits and a unit, as string_get_size of the kernel writes sizes. */
function threeDigits(bytes: number, base: number): string {
  const units = ['', base === 1000 ? 'k' : 'K', 'M', 'G', 'T', 'P']
  let value = bytes
  let unit = 0
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit++
  }
  const digits = Math.max(0, 3 - String(Math.floor(value)).length)
  return `${(Math.floor(value * 10 ** digits) / 10 ** digits).toFixed(digits)} ${units[unit]}`
}
