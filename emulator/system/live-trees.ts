import { type Bytes, fromText } from '../files/bytes.js'
import { type DirectoryNode, type Entries, KeptEntries, type Node, type Viewer } from '../files/nodes.js'
import { givenBy } from '../hardware/machine.js'
import { holds } from '../persona/conditions.js'
import { netTree } from './cards.js'
import type { LiveContext } from './context.js'
import { blockTree } from './disks.js'
import { directoryOf } from './made-directories.js'
import type { Process } from './process.js'
import { cpuTree } from './processors.js'

type Maker = (context: LiveContext) => DirectoryNode

/** /proc: what was put there, and a directory a process. */
class ProcessEntries extends KeptEntries implements Entries {
  readonly #context: LiveContext

  constructor(context: LiveContext) {
    super()
    this.#context = context
  }

  override get(name: Bytes, viewer?: Viewer): Node | undefined {
    const { tree, processes } = this.#context.system
    if (name === 'self') return tree.makeLink(String(viewer?.pid ?? 1))
    if (!/^\d+$/.test(name)) return super.get(name)
    const process = processes.get(Number(name))
    return process && processDirectory(this.#context, process)
  }

  override names(): Bytes[] {
    return [
      ...super.names(),
      'self',
      ...this.#context.system.processes.list().map(process => String(process.pid)),
    ]
  }
}

function processDirectory({ system }: LiveContext, process: Process): DirectoryNode {
  const { tree } = system
  const directory = tree.makeDirectory(undefined, 0o555)
  directory.uid = process.uid
  const put = (name: string, read: () => Bytes, mode = 0o444): void => {
    const node = tree.makeLive(read)
    node.mode = mode
    node.uid = process.uid
    directory.entries.set?.(name, node)
  }
  const name = (process.argv[0] ?? '').split('/').at(-1)?.slice(0, 15) ?? ''
  const comm = name.replace(/^-/, '').replace(/^\[(.*)\]$/, '$1')
  const kernelThread = process.argv.length === 1 && /^\[.*\]$/.test(process.argv[0] ?? '')
  put('cmdline', () => (kernelThread ? '' : process.argv.map(arg => `${arg}\0`).join('')))
  put('environ', () => [...process.environ].map(([key, value]) => `${key}=${value}\0`).join(''), 0o400)
  put('comm', () => `${comm}\n`)
  put('stat', () => {
    const started = process.startedNs / 10_000_000n
    return `${process.pid} (${comm}) S ${process.ppid} ${process.pgid} ${process.sid} 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 ${started} 8388608 512 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n`
  })
  put(
    'status',
    () =>
      `Name:\t${comm}\nState:\tS (sleeping)\nTgid:\t${process.pid}\nPid:\t${process.pid}\nPPid:\t${process.ppid}\nUid:\t${process.uid}\t${process.uid}\t${process.uid}\t${process.uid}\nGid:\t${process.gid}\t${process.gid}\t${process.gid}\t${process.gid}\nThreads:\t1\n`,
  )
  put('limits', () => 'Limit                     Soft Limit           Hard Limit           Units     \n')
  directory.entries.set?.('cwd', tree.makeLink(process.cwd))
  directory.entries.set?.('root', tree.makeLink('/'))
  const descriptors = tree.makeDirectory(undefined, 0o500)
  descriptors.uid = process.uid
  for (const fd of process.files.list()) {
    descriptors.entries.set?.(String(fd), tree.makeLink(process.files.get(fd)?.path ?? ''))
  }
  directory.entries.set?.('fd', descriptors)
  return directory
}

const makers: Readonly<Record<string, Maker>> = {
  processes: context => context.system.tree.makeDirectory(new ProcessEntries(context), 0o555),
  'cpus-2.6.18': context => cpuTree(context, false),
  cpus: context => cpuTree(context, true),
  dmi: ({ system, persona, machine }) => {
    const { tree } = system
    const directory = tree.makeDirectory()
    const values: Readonly<Record<string, string>> = {
      product_uuid: machine.uuid,
      ...machine.host?.dmi?.values,
    }
    if (!machine.host?.dmi) return directory
    for (const name of persona.virtual.dmi) {
      const value = name === 'product_uuid' ? machine.uuid : values[name]
      if (value === undefined) continue
      const node = tree.makeLive(() => `${fromText(value)}\n`)
      if (/_(serial|uuid)$/.test(name)) node.mode = 0o400
      directory.entries.set?.(name, node)
    }
    return directory
  },
  hypervisor: ({ system, persona, machine }) => {
    const shown = persona.virtual.hypervisorDirectory ? (machine.host?.hypervisor.directory ?? {}) : {}
    return directoryOf(
      system.tree,
      Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, `${value}\n`])),
    )
  },
  block: blockTree,
  pci: ({ system, persona, machine }) => {
    const given = givenBy(machine.hardware, machine.host)
    const groups = [...(machine.host?.pci ?? []), ...persona.pci].filter(group => holds(group, given))
    const files: Record<string, string> = {}
    for (const [address, device] of groups.flatMap(group => Object.entries(group.devices))) {
      for (const [name, value] of Object.entries(device)) files[`${address}/${name}`] = `${value}\n`
    }
    return directoryOf(system.tree, files)
  },
  net: netTree,
}

/** The directory that the emulator makes under that name, or undefined. */
export function liveTree(name: string, context: LiveContext): DirectoryNode | undefined {
  return makers[name]?.(context)
}
