import type { Machine } from '../../hardware/machine.js'
import type { Pulse } from '../../pulse.js'
import { Clock } from '../../system/clock.js'
import type { WindowsPersona } from '../persona/schema.js'
import type { HostTexts } from '../powershell/host-texts.js'
import { makeDevices } from '../store/devices.js'
import { pluggedDisks, pluggedNics } from '../store/plugged.js'
import { WinProcessTable } from '../store/processes.js'
import { isDriver, makeServices } from '../store/services.js'
import { eventWriter } from './event-writer.js'
import { makeFirmware } from './firmware.js'
import { installDisk } from './install.js'
import { type Circumstances, compareNt, holds } from './nt.js'
import { writeVolatileKeys } from './registry-facts.js'
import type { Disk, PowerRequest, WinAccount, WindowsSystem } from './system.js'
import { TimeZone } from './time-zone.js'

/** What one boot starts from. */
export interface BootRequest {
  readonly computerName: string
  readonly persona: WindowsPersona
  readonly machine: Machine
  /** What it goes on by, boot after boot. */
  readonly pulse: Pulse
  readonly accounts: readonly WinAccount[]
  readonly counters: { powershellStarts: number }
  /** What the boot before left; undefined of a new guest. */
  readonly disk: Disk | undefined
  /** Goes on from here instead of booting. */
  readonly memory?: { readonly uptimeNs: bigint; readonly wallNs: bigint }
  readonly used: Set<string>
  readonly hostTexts?: HostTexts | undefined
  power(request: PowerRequest): boolean
  cancelPower(): boolean
  goingDown(): boolean
}

/** Hardware that each hypervisor's guests get where the lab does not say. */
const usual: Readonly<Record<string, readonly [disk: string, nic: string]>> = {
  kvm: ['virtio-blk', 'virtio-net'],
  qemu: ['virtio-blk', 'virtio-net'],
  xen: ['xen', 'xen'],
  'hyper-v': ['ide', 'synthetic'],
  vmware: ['pvscsi', 'vmxnet3'],
}

/** What decides which facts of the persona hold on this machine. */
export function circumstances({ os }: WindowsPersona, { hardware, host }: Machine): Circumstances {
  const hypervisor = host?.hypervisor.id ?? 'qemu'
  const [disk, nic] = usual[hypervisor] ?? ['ide', 'e1000']
  return {
    nt: os.nt,
    hypervisor,
    disk: hardware.disk ?? (hardware.generation === 2 ? 'scsi' : disk),
    nic: hardware.nic ?? nic,
    firmware: hardware.firmware ?? (hardware.generation === 2 ? 'uefi' : 'bios'),
  }
}

/** Boots an emulated Windows guest: makes the store that all its fronts read, and writes the events of a boot. */
export function bootWindows(request: BootRequest): WindowsSystem {
  const { persona, machine, pulse, computerName, accounts, used } = request
  const where = circumstances(persona, machine)
  const clock = new Clock(persona.clock ?? {}, () => pulse.nowNs(), request.memory)
  const zone = new TimeZone(persona.zone)
  const firmware = makeFirmware(machine, where.hypervisor, persona.state)
  const disk = request.disk ?? installDisk(persona, where, zone, () => clock.wallMs())
  disk.files.now = () => clock.wallMs()
  const firstPid = compareNt(where.nt, '6.0') < 0 ? 1800 : 2600
  const processes = new WinProcessTable(pulse, () => clock.wallMs(), firstPid)
  const services = makeServices(persona, where)
  const found = makeDevices(persona, where)
  const system: WindowsSystem = {
    persona,
    where,
    machine,
    firmware,
    clock,
    zone,
    computerName,
    accounts,
    hostTexts: request.hostTexts,
    disk,
    files: disk.files,
    registry: disk.registry,
    events: disk.events,
    processes,
    services,
    get devices() {
      const { live } = machine
      const plugged = [...pluggedDisks(live), ...pluggedNics(found, live)].map(({ device }) => device)
      return [...found, ...plugged]
    },
    foundAtBoot: found,
    environment: environmentOf(persona, machine.live.vcpus, computerName, firmware),
    used,
    counters: request.counters,
    emit: eventWriter(persona, where, disk.events, computerName, () => clock.wallMs(), used),
    power: request.power,
    cancelPower: request.cancelPower,
    get goingDown() {
      return request.goingDown()
    },
    breathe: process => process.whileAlive(new Promise(resolve => setImmediate(resolve))),
  }
  for (const { name, profile } of accounts) {
    disk.files.folder(`${profile}\\Desktop`, true)
    disk.files.folder(`${tempOf(persona, profile)}`, true)
    used.add(`accounts ${name}`)
  }
  writeVolatileKeys(system)
  seatProcesses(system)
  if (!request.memory) writeBootEvents(system, request.disk === undefined)
  disk.clean = false
  return system
}

/** A user's folder for temporary files. */
export function tempOf({ os }: WindowsPersona, profile: string): string {
  return compareNt(os.nt, '6.0') < 0 ? `${profile}\\Local Settings\\Temp` : `${profile}\\AppData\\Local\\Temp`
}

function environmentOf(
  { os, powershell }: WindowsPersona,
  vcpus: number,
  computerName: string,
  firmware: { cpuFamily: number; cpuModel: number; cpuStepping: number; cpuVendor: string },
): Map<string, string> {
  const root = os.systemRoot
  const modern = compareNt(os.nt, '6.0') >= 0
  const shell = powershell ? `;${root}\\System32\\WindowsPowerShell\\v1.0\\` : ''
  const ssh = compareNt(os.nt, '10.0') >= 0 ? `;${root}\\System32\\OpenSSH\\` : ''
  const model = `${firmware.cpuModel.toString(16).padStart(2, '0')}${firmware.cpuStepping.toString(16).padStart(2, '0')}`
  const cpu = os.bits === 64 ? 'Intel64' : 'x86'
  return new Map([
    ['ALLUSERSPROFILE', modern ? 'C:\\ProgramData' : 'C:\\Documents and Settings\\All Users'],
    ['CommonProgramFiles', 'C:\\Program Files\\Common Files'],
    ['COMPUTERNAME', computerName],
    ['ComSpec', `${root}\\system32\\cmd.exe`],
    ['NUMBER_OF_PROCESSORS', String(vcpus)],
    ['OS', 'Windows_NT'],
    ['Path', `${root}\\system32;${root};${root}\\System32\\Wbem${shell}${ssh}`],
    ['PATHEXT', `.COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH${modern ? ';.MSC' : ''}`],
    ['PROCESSOR_ARCHITECTURE', os.bits === 64 ? 'AMD64' : 'x86'],
    [
      'PROCESSOR_IDENTIFIER',
      `${cpu} Family ${firmware.cpuFamily} Model ${firmware.cpuModel} Stepping ${firmware.cpuStepping}, ${firmware.cpuVendor}`,
    ],
    ['PROCESSOR_LEVEL', String(firmware.cpuFamily)],
    ['PROCESSOR_REVISION', model],
    ...(modern ? ([['ProgramData', 'C:\\ProgramData']] as const) : []),
    ['ProgramFiles', 'C:\\Program Files'],
    ...(os.bits === 64 ? ([['ProgramFiles(x86)', 'C:\\Program Files (x86)']] as const) : []),
    ['SystemDrive', 'C:'],
    ['SystemRoot', root],
    ['windir', root],
  ])
}

/** Seats the processes that boot starts, and gives running services of their own their ids. */
function seatProcesses({ persona, where, processes, services, used }: WindowsSystem): void {
  processes.register(0, { image: 'System Idle Process', line: '', user: 'SYSTEM', kb: 8 })
  const modern = compareNt(where.nt, '6.0') >= 0
  processes.register(modern ? 4 : where.nt === '5.0' ? 8 : 4, {
    image: 'System',
    line: '',
    user: 'SYSTEM',
    kb: 140,
  })
  let pid = 240
  const next = (): number => (pid += 12 + 4 * ((pid / 4) % 9))
  for (const group of persona.processes) {
    if (!holds(group, where)) continue
    used.add('processes')
    for (const { image, line, user, session, kb } of group.list)
      processes.register(next(), {
        image,
        line: line.replaceAll('{root}', persona.os.systemRoot),
        user,
        session,
        kb,
      })
  }
  const hosts = new Map<string, number>()
  for (const service of services.values()) {
    if (isDriver(service) || service.state === 'stopped') continue
    const known = hosts.get(service.path.toLowerCase())
    const image = /([^\\" ]+\.exe)/i.exec(service.path)?.[1] ?? 'svchost.exe'
    const seated = processes
      .list()
      .find(it => it.image.toLowerCase() === image.toLowerCase() && image !== 'svchost.exe')
    const host = known ?? seated?.pid ?? next()
    if (!processes.get(host))
      processes.register(host, { image, line: service.path, user: userOf(service.account), kb: 8600 })
    hosts.set(service.path.toLowerCase(), host)
    service.pid = host
  }
}

function userOf(account: string | null): string {
  if (account === null || account === 'LocalSystem') return 'SYSTEM'
  return account.split('\\').at(-1)?.toUpperCase() === 'LOCALSERVICE' ? 'LOCAL SERVICE' : 'NETWORK SERVICE'
}

function writeBootEvents(system: WindowsSystem, first: boolean): void {
  const { persona, disk, machine } = system
  const { lastShutdown } = persona.state
  const dirty = first ? lastShutdown !== 'clean' : !disk.clean
  if (first) writeHistory(system, lastShutdown === 'clean')
  system.emit('kernel-started')
  if (dirty) system.emit('kernel-power')
  const { os } = persona
  const servicePack = os.servicePack > 0 ? `Service Pack ${os.servicePack}` : ''
  const processors = machine.live.vcpus > 1 ? 'Multiprocessor Free' : 'Uniprocessor Free'
  system.emit('product', [
    `${os.nt
      .replace(/^10\.0$/, '10.00')
      .replace(/^6\.(\d)$/, '6.0$1')
      .replace(/^5\.(\d)$/, '5.0$1')}.`,
    String(os.build),
    servicePack,
    processors,
    String(os.revision ?? 0),
  ])
  if (dirty) {
    const before = system.zone.local(system.clock.wallMs() - 90_000)
    system.emit('unexpected', [
      `${before.hour % 12 || 12}:${String(before.minute).padStart(2, '0')}:00 ${before.hour < 12 ? 'AM' : 'PM'}`,
      `${before.month}/${before.day}/${before.year}`,
    ])
  }
  if (first && lastShutdown === 'bugcheck') system.emit('bugcheck', ['0x000000d1'])
  system.emit('log-started')
  system.emit('uptime', ['5'])
  for (const group of persona.events) {
    if (!holds(group, system.where)) continue
    for (const { event, atSec, inserts } of group.list) {
      if (atSec >= 0) system.emit(event, inserts, system.clock.wallMs() + atSec * 1000)
    }
  }
}

/** What the boots before this guest's first have left in its log. */
function writeHistory(system: WindowsSystem, clean: boolean): void {
  const now = system.clock.wallMs()
  const minute = 60_000
  const { computerName } = system
  for (const hoursAgo of [72, 26]) {
    const at = now - hoursAgo * 60 * minute
    const { os } = system.persona
    system.emit('product', [`${os.nt}.`, String(os.build), '', 'Multiprocessor Free', '0'], at)
    system.emit('log-started', [], at)
    system.emit('uptime', ['12'], at + minute)
    if (hoursAgo === 26 && !clean) break
    system.emit(
      'power-requested',
      [
        `C:\\Windows\\system32\\shutdown.exe (${computerName})`,
        computerName,
        'Other (Planned)',
        '0x85000000',
        'restart',
        '',
        `${computerName}\\Administrator`,
      ],
      at + 60 * minute,
    )
    system.emit('log-stopped', [], at + 61 * minute)
    system.emit('kernel-stopped', [], at + 61 * minute)
  }
  for (const group of system.persona.events) {
    if (!holds(group, system.where)) continue
    for (const { event, atSec, inserts } of group.list)
      if (atSec < 0) system.emit(event, inserts, now + atSec * 1000)
  }
}
