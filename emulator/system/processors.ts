import { SystemError } from '../files/errno.js'
import type { DirectoryNode } from '../files/nodes.js'
import { cpuList, cpuMask } from '../hardware/processors.js'
import type { LiveContext } from './context.js'
import { changingDirectory, type MadeFile } from './made-directories.js'

type Cpus = Pick<LiveContext, 'machine' | 'settings'>

const first = (count: number): number[] => Array.from({ length: count }, (_, cpu) => cpu)

/** Processors that the machine has now, by number. */
export function presentCpus({ machine }: Pick<LiveContext, 'machine'>): number[] {
  return first(machine.live.vcpus)
}

/** Processors that the kernel uses now. */
export function onlineCpus(context: Cpus): number[] {
  return presentCpus(context).filter(cpu => context.settings.get(switchOf(cpu)) !== '0')
}

/** Takes a processor into use, or out of it. */
export function switchCpu({ settings }: Pick<LiveContext, 'settings'>, cpu: number, isOnline: boolean): void {
  if (isOnline) settings.delete(switchOf(cpu))
  else settings.set(switchOf(cpu), '0')
}

function switchOf(cpu: number): string {
  return `cpu${cpu}/online`
}

function onlineFile(context: LiveContext, cpu: number): MadeFile {
  const name = switchOf(cpu)
  return {
    read: () => `${context.settings.get(name) ?? '1'}\n`,
    write: (data, viewer) => {
      if (viewer.uid !== 0) throw new SystemError('EACCES', name, 'write')
      const wanted = data.trim()
      if (wanted !== '0' && wanted !== '1') throw new SystemError('EINVAL', name, 'write')
      switchCpu(context, cpu, wanted === '1')
    },
  }
}

/** Hypervisors give a processor a socket by default: as many packages as processors. */
function topology(context: LiveContext, lists: boolean): Record<string, string | MadeFile> {
  const files: Record<string, string | MadeFile> = {}
  for (const cpu of presentCpus(context)) {
    const base = `cpu${cpu}`
    if (cpu > 0) files[switchOf(cpu)] = onlineFile(context, cpu)
    files[`${base}/topology/physical_package_id`] = `${cpu}\n`
    files[`${base}/topology/core_id`] = '0\n'
    files[`${base}/topology/core_siblings`] = `${cpuMask([cpu])}\n`
    files[`${base}/topology/thread_siblings`] = `${cpuMask([cpu])}\n`
    if (lists) {
      files[`${base}/topology/core_siblings_list`] = `${cpu}\n`
      files[`${base}/topology/thread_siblings_list`] = `${cpu}\n`
    }
  }
  return files
}

/** /sys/devices/system/cpu, with the lists that newer kernels have or without them. */
export function cpuTree(context: LiveContext, lists: boolean): DirectoryNode {
  const files = (): Record<string, string | MadeFile> => {
    if (!lists) return topology(context, false)
    const present = presentCpus(context)
    const online = onlineCpus(context)
    return {
      ...topology(context, true),
      online: `${cpuList(online)}\n`,
      possible: `${cpuList(first(context.machine.live.maxVcpus))}\n`,
      present: `${cpuList(present)}\n`,
      kernel_max: '8191\n',
      offline: `${cpuList(present.filter(cpu => !online.includes(cpu)))}\n`,
    }
  }
  return changingDirectory(context.system.tree, files)
}
