import { fromText, toText } from '../../files/bytes.js'
import { SystemError } from '../../files/errno.js'
import { absolute } from '../../files/tree.js'
import { writeTo } from '../../programs/io.js'
import type { Program } from '../../system/programs.js'
import { VimFault } from './dump.js'
import type { Inventory } from './inventory.js'
import { writeDisk } from './place.js'
import { powerOff } from './power.js'
import { flatOf } from './vmx.js'

const room = 500 * 2 ** 30

function worldsText(inventory: Inventory): string {
  return inventory.machines
    .flatMap(machine => {
      const world = inventory.worldOf(machine)
      if (world === undefined) return []
      const name = inventory.nameOf(machine)
      // As in a log (index file 49905498991).
      return [
        `${name}\n   World ID: ${world}\n   Process ID: 0\n   VMX Cartel ID: ${world - 15}\n` +
          `   UUID: 56 4d 48 08 86 8b 8f 67-a5 4a 33 f3 87 a8 d0 59\n   Display Name: ${name}\n` +
          `   Config File: ${machine.path}\n`,
      ]
    })
    .join('\n')
}

function versionText({ persona: { esxi } }: Inventory): string {
  const fields = [
    ['Product', 'VMware ESXi'],
    ['Version', esxi.version],
    ['Build', `Releasebuild-${esxi.build}`],
    ['Update', esxi.update],
    ['Patch', esxi.patch],
  ]
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [`   ${name}: ${value}\n`])).join('')
}

function filesystems({ datastore, faults }: Inventory): string {
  const free = faults.noSpace ? 0 : room
  const head = ['MountPoint', 'VolumeName', 'UUID', 'Mounted', 'Type', 'Size', 'Free']
  const row = [
    datastore.folder,
    datastore.name,
    datastore.uuid,
    'true',
    'VMFS-6',
    String(2 * room),
    String(free),
  ]
  return [head, row].map(cells => `${cells.join(',')},\n`).join('')
}

async function kill(inventory: Inventory, words: readonly string[]): Promise<string> {
  const option = (name: string): string | undefined => words[words.indexOf(name) + 1]
  const machine = inventory.machines.find(each => String(inventory.worldOf(each)) === option('-w'))
  if (!/^(?:soft|hard|force)$/.test(option('-t') ?? '') || !machine)
    throw new Refused('Unable to find a virtual machine')
  try {
    await powerOff(inventory, machine)
  } catch (error) {
    throw error instanceof VimFault ? new Refused(error.message) : error
  }
  return ''
}

/** What esxcli says of what it cannot do. */
class Refused extends Error {}

/** esxcli, as far as the machines, the version and the datastores go. */
export function esxcliProgram(inventory: Inventory): Program {
  return async call => {
    if (inventory.faults.slow) await call.process.sleep(inventory.faults.slow.ms)
    const words = call.args.map(toText)
    const isTable = words[0] === '--formatter=csv'
    const [space, ...rest] = isTable ? words.slice(1) : words
    const line = [space, ...rest].join(' ')
    try {
      const text = /^vm process kill /.test(line)
        ? await kill(inventory, rest)
        : line === 'vm process list'
          ? worldsText(inventory)
          : line === 'system version get'
            ? versionText(inventory)
            : isTable && line === 'storage filesystem list'
              ? filesystems(inventory)
              : undefined
      if (text === undefined) throw new Refused(`Error: Unknown command or namespace ${line}`)
      await writeTo(call.process, 1, fromText(text))
      return 0
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      await writeTo(call.process, 1, fromText(`${error.message}\n`))
      return 1
    }
  }
}

/** vmkfstools, as far as copies of disks go. */
export function vmkfstoolsProgram(inventory: Inventory): Program {
  const { hypervisor, faults } = inventory
  return async call => {
    if (faults.slow) await call.process.sleep(faults.slow.ms)
    const words = call.args.map(toText)
    const [from, to] = [words[words.indexOf('-i') + 1], words[words.indexOf('-i') + 2]]
    const say = (text: string): Promise<void> => writeTo(call.process, 1, fromText(text))
    if (
      !words.includes('-i') ||
      from === undefined ||
      to === undefined ||
      !/^(?:thin|zeroedthick|eagerzeroedthick)$/.test(words[words.indexOf('-d') + 1] ?? '')
    ) {
      await say('No valid command specified\n')
      return 1
    }
    const [source, target] = [from, to].map(path => toText(absolute(call.process.cwd, fromText(path))))
    try {
      const { tree, images } = hypervisor
      const flat = toText(tree.find(fromText(flatOf(source ?? '')), call.process).path)
      await say(`Destination disk format: VMFS thin-provisioned\nCloning disk '${from}'...\n`)
      const { virtualBytes } = images.read(tree, flat)
      // A datastore that is full: the words of the system's error.
      if (faults.noSpace) throw new SystemError('ENOSPC', flat, 'write')
      writeDisk(inventory, target ?? '', {
        bytes: virtualBytes,
        content: images.keep(images.find(tree, flat)),
      })
      await say('\rClone: 1% done.\rClone: 100% done.\n')
      return 0
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      await say(`Failed to clone disk: ${error.text}\n`)
      return 1
    }
  }
}

/** `vmware -v` (JKL). */
export function vmwareProgram({ persona: { esxi } }: Inventory): Program {
  return async call => {
    await writeTo(call.process, 1, fromText(`VMware ESXi ${esxi.version} build-${esxi.build}\n`))
    return 0
  }
}
