import { randomUUID } from 'node:crypto'
import { SystemError } from '../files/errno.js'
import type { LiveNode } from '../files/nodes.js'
import { diskDevice } from '../hardware/machine.js'
import { crashKernelBytes, iomem, meminfo } from '../hardware/memory.js'
import { cpuinfo } from '../hardware/processors.js'
import type { LiveContext } from './context.js'
import { partitionsText } from './disks.js'
import { onlineCpus } from './processors.js'

/** How a live file is read, and written where it can be. */
export interface LiveFile {
  readonly read: LiveNode['read']
  readonly write?: NonNullable<LiveNode['write']>
}

type Maker = (context: LiveContext) => LiveFile

function reading(read: (context: LiveContext) => string): Maker {
  return context => ({ read: () => read(context) })
}

/** A setting of the kernel: reads as it was last written. */
function setting(
  name: string,
  initial: (context: LiveContext) => string,
  valid: RegExp = /^[\s\S]*$/,
): Maker {
  return context => ({
    read: () => `${context.settings.get(name) ?? initial(context)}\n`,
    write: (data, viewer) => {
      if (viewer.uid !== 0) throw new SystemError('EACCES', name, 'write')
      const text = data.trim()
      if (!valid.test(text)) throw new SystemError('EINVAL', name, 'write')
      context.settings.set(name, text)
    },
  })
}

function seconds(ns: bigint): string {
  return `${ns / 1_000_000_000n}.${String((ns / 10_000_000n) % 100n).padStart(2, '0')}`
}

/** Seconds since 1970 at which this boot began, as the kernel works it out now. */
export function bootTimeSec({ system }: LiveContext): bigint {
  return (system.clock.wallNs() - system.clock.uptimeNs()) / 1_000_000_000n
}

function procStat(context: LiveContext): string {
  const { system } = context
  const ticks = Number(system.clock.uptimeNs() / 10_000_000n)
  const cpus = onlineCpus(context)
  const row = (name: string, times: number): string =>
    `${name} ${Math.floor(ticks * 0.02 * times)} 0 ${Math.floor(ticks * 0.02 * times)} ${Math.floor(ticks * 0.95 * times)} 0 0 0 0 0 0\n`
  return [
    row('cpu ', cpus.length),
    ...cpus.map(cpu => row(`cpu${cpu}`, 1)),
    `intr ${ticks * 3} 0\n`,
    `ctxt ${ticks * 7}\n`,
    `btime ${bootTimeSec(context)}\n`,
    `processes ${system.processes.lastPid}\n`,
    'procs_running 1\nprocs_blocked 0\n',
  ].join('')
}

function availableClocksources({ persona, machine }: LiveContext): string[] {
  const offered = new Set(machine.host?.hypervisor.clocksources ?? ['tsc', 'hpet', 'acpi_pm'])
  const available = persona.virtual.clocksources.filter(name => offered.has(name) || name === 'jiffies')
  return available.length > 0 ? available : ['jiffies']
}

function mounts(context: LiveContext): string {
  const { filesystem } = context.persona.storage
  const disk = diskDevice(context.machine, context.persona.storage.device)
  return [
    `/dev/${disk.name}1 / ${filesystem} rw 0 0`,
    'proc /proc proc rw 0 0',
    'sysfs /sys sysfs rw 0 0',
    'devpts /dev/pts devpts rw 0 0',
    'tmpfs /dev/shm tmpfs rw 0 0',
  ]
    .map(line => `${line}\n`)
    .join('')
}

const makers: Readonly<Record<string, Maker>> = {
  cpuinfo: reading(context => cpuinfo(context.persona, context.machine, onlineCpus(context))),
  meminfo: reading(({ persona, machine }) => meminfo(persona, machine)),
  uptime: reading(({ system }) => {
    const ns = system.clock.uptimeNs()
    return `${seconds(ns)} ${seconds((ns * BigInt(system.resources.vcpus) * 95n) / 100n)}\n`
  }),
  stat: reading(procStat),
  boot_id: reading(({ bootId }) => `${bootId}\n`),
  uuid: reading(() => `${randomUUID()}\n`),
  loadavg: reading(
    ({ system }) => `0.08 0.03 0.01 1/${system.processes.list().length} ${system.processes.lastPid}\n`,
  ),
  kexec_crash_size: reading(({ persona, machine }) => `${crashKernelBytes(persona, machine.hardware)}\n`),
  kexec_crash_loaded: reading(
    ({ persona, machine }) => `${crashKernelBytes(persona, machine.hardware) > 0 ? 1 : 0}\n`,
  ),
  iomem: ({ persona, machine }) => ({ read: viewer => iomem(persona, machine.hardware, viewer.uid === 0) }),
  version: reading(({ persona }) => `${persona.kernel.procVersion}\n`),
  cmdline: reading(({ persona }) => `${persona.kernel.cmdline}\n`),
  modules: reading(({ modules }) =>
    modules.map(([name, bytes]) => `${name} ${bytes} 0 - Live 0x0000000000000000\n`).join(''),
  ),
  mounts: reading(mounts),
  partitions: reading(partitionsText),
  osrelease: reading(({ system }) => `${system.uname.release}\n`),
  ostype: reading(({ system }) => `${system.uname.sysname}\n`),
  hostname: setting('hostname', ({ system }) => system.uname.nodename),
  entropy_avail: reading(({ persona }) => `${persona.entropy.available}\n`),
  poolsize: reading(({ persona }) => `${persona.entropy.poolBits}\n`),
  tainted: setting('tainted', ({ persona }) => String(persona.kernel.tainted), /^\d+$/),
  timer_list: reading(
    ({ system }) =>
      `Timer List Version: v0.8\nHRTIMER_MAX_CLOCK_BASES: 4\nnow at ${system.clock.uptimeNs()} nsecs\n`,
  ),
  available_clocksource: reading(context => `${availableClocksources(context).join(' ')} \n`),
  current_clocksource: context => ({
    read: () => `${context.settings.get('clocksource') ?? availableClocksources(context)[0]}\n`,
    write: (data, viewer) => {
      if (viewer.uid !== 0) throw new SystemError('EACCES', 'current_clocksource', 'write')
      if (availableClocksources(context).includes(data.trim()))
        context.settings.set('clocksource', data.trim())
    },
  }),
  sysrq: context => ({
    read: () => '',
    write: (data, viewer) => {
      if (viewer.uid !== 0) throw new SystemError('EACCES', 'sysrq-trigger', 'write')
      context.sysrq(data.slice(0, 1))
    },
  }),
  kmsg: ({ system }) => ({
    read: () =>
      system.log
        .lines()
        .map((line, index) => `${line.level},${index},${Math.round(line.atSec * 1e6)},-;${line.text}\n`)
        .join(''),
  }),
  passwd: reading(({ system }) =>
    system.accounts
      .map(it => `${it.name}:x:${it.uid}:${it.gid}:${it.name}:${it.home}:${it.shell}\n`)
      .join(''),
  ),
  group: reading(({ system }) => {
    const groups = new Map(
      system.accounts.flatMap(it => [
        [it.group, it.gid] as const,
        ...it.groups.map(group => [group.name, group.gid] as const),
      ]),
    )
    return [...groups].map(([name, gid]) => `${name}:x:${gid}:\n`).join('')
  }),
  machine_id: reading(({ machine }) => `${machine.uuid.replace(/-/g, '')}\n`),
}

/** The live file of that name, or undefined. */
export function liveFile(name: string, context: LiveContext): LiveFile | undefined {
  return makers[name]?.(context)
}
