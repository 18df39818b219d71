import { randomUUID } from 'node:crypto'
import { fromText } from '../files/bytes.js'
import { FileTree } from '../files/tree.js'
import { givenBy, type Machine } from '../hardware/machine.js'
import { memTotalNow } from '../hardware/memory.js'
import { holds } from '../persona/conditions.js'
import type { GuestPersona } from '../persona/schema.js'
import type { Pulse } from '../pulse.js'
import { Clock } from './clock.js'
import type { LiveContext } from './context.js'
import { fatesOf } from './fates.js'
import { hotplugOf } from './hotplug.js'
import { KernelLog } from './kernel-log.js'
import { clearTemporary, populate } from './populate.js'
import { type Process, ProcessTable } from './process.js'
import { onlineCpus, presentCpus } from './processors.js'
import type { ProgramTable } from './programs.js'
import { serialOf } from './serial.js'
import type { Account, Answer, PowerAction, System } from './system.js'

/** What one boot needs. */
export interface BootRequest {
  readonly nodeName: string
  readonly persona: GuestPersona
  readonly machine: Machine
  /** What it goes on by, boot after boot. */
  readonly pulse: Pulse
  readonly accounts: readonly Account[]
  /** Passwords by user, for sudo. */
  readonly passwords: ReadonlyMap<string, string>
  readonly programs: ProgramTable
  /** The disk, as the last boot left it; none for a new guest. */
  readonly disk: FileTree | undefined
  /** Goes on from here instead of booting. */
  readonly memory?: { readonly bootId: string; readonly uptimeNs: bigint; readonly wallNs: bigint }
  /** What is written to its serial port. */
  serial(text: string): void
  power(action: PowerAction, delayMs: number): void
  cancelPower(): boolean
  /** The kernel has given up: nothing goes on, until it reboots after so many seconds; never with 0. */
  panicked(rebootSec: number): void
  /** The kernel starts anew at once, as if its power had failed. */
  reset(): void
  stops(line: string): boolean
}

/** Boots a guest: a new system on its disk. */
export function boot(request: BootRequest): System {
  const { persona, machine, pulse } = request
  const clock = new Clock(persona.clock ?? {}, () => pulse.nowNs(), request.memory)
  const tree = request.disk ?? new FileTree(() => Date.now(), persona.storage.roomMiB * 1_048_576)
  tree.now = () => clock.wallMs()
  tree.shared = persona.lifecycle?.outsideSnapshots ?? []
  const used = new Set<string>()
  const log = new KernelLog(persona.kernel.timestamps)
  const serial = serialOf(persona, machine, log, request.serial)
  // What goes on from memory has said this before.
  if (!request.memory) log.heard = line => serial.kernel(line)
  const { firstPid, maxPid } = persona.kernel
  const processes = new ProcessTable(pulse, () => clock.uptimeNs(), firstPid, maxPid)
  const answers = readAnswers(persona)
  const bootId = request.memory?.bootId ?? randomUUID()
  let lastBreathMs = performance.now()
  const system: System = {
    bootId,
    tree,
    clock,
    processes,
    log,
    programs: request.programs,
    used,
    uname: {
      sysname: 'Linux',
      nodename: request.nodeName,
      release: persona.kernel.release,
      version: persona.kernel.version,
      machine: persona.arch,
      processor: persona.kernel.processor,
      platform: persona.kernel.platform,
      operatingSystem: 'GNU/Linux',
    },
    resources: {
      get vcpus() {
        return onlineCpus(context).length
      },
      get configuredVcpus() {
        return presentCpus(context).length
      },
      get memTotalBytes() {
        return memTotalNow(persona, machine)
      },
    },
    get hotplug() {
      return hotplug
    },
    serial,
    nmi: () => fates.nmi(),
    panic: reason => fates.panic({ kind: 'fault', reason }),
    goesDown: action => fates.goesDown(action),
    flavour: persona.shell.flavour,
    flavourOfInit: persona.init.kind,
    dmi: machine.host?.dmi && { product_uuid: machine.uuid, ...machine.host.dmi.values },
    detectedVirtualization: detectedNames[machine.host?.hypervisor.id ?? 'none'] ?? 'none',
    hypervisorVendor: machine.host?.hypervisor.vendor,
    accounts: request.accounts,
    logRestricted: persona.kernel.logRestricted,
    answer: (program, args) => {
      const key = [program, ...args].join(' ')
      const answer = answers.get(key)
      if (answer) used.add(`commands ${key}`)
      return answer
    },
    power: (action, delayMs) => {
      if (action === 'reboot' && persona.power?.reboot === 'lies') return
      request.power(action, delayMs)
    },
    cancelPower: request.cancelPower,
    stops: request.stops,
    sudo: (user, password) => mayBecomeRoot(persona, request.passwords, user, password),
    breathe: async (process: Process) => {
      if (process.signal.aborted) throw process.signal.reason
      if (!pulse.isHalted && performance.now() - lastBreathMs < 8) return
      await process.whileAlive(new Promise(resolve => setImmediate(resolve)))
      lastBreathMs = performance.now()
    },
  }
  const given = givenBy(machine.hardware, machine.host)
  const modules = persona.modules
    .filter(group => holds(group, given))
    .flatMap(group => Object.entries(group.names))
  const context: LiveContext = {
    system,
    persona,
    machine,
    bootId,
    modules,
    settings: new Map(),
    diskNames: new Map(),
    nicNames: new Map(),
    sysrq: key => fates.sysrq(key),
  }
  const hotplug = hotplugOf(context)
  const fates = fatesOf(context, request)
  if (request.disk && !request.memory) clearTemporary(tree, persona)
  populate(context, request.disk === undefined)
  fillLog(context)
  log.heard = line => serial.kernel(line)
  seatProcesses(context)
  const every = persona.disk?.corruptEveryBytes
  tree.corruption = every === undefined ? undefined : (data, offset) => corrupted(data, offset, every)
  return system
}

/** As systemd-detect-virt(1) names them. */
const detectedNames: Readonly<Record<string, string>> = {
  kvm: 'kvm',
  qemu: 'qemu',
  xen: 'xen',
  'hyper-v': 'microsoft',
  vmware: 'vmware',
}

function readAnswers(persona: GuestPersona): Map<string, Answer> {
  const answers = new Map<string, Answer>()
  for (const [line, answer] of Object.entries(persona.commands)) {
    if (!answer) continue
    answers.set(fromText(line), {
      stdout: fromText(answer.stdout),
      stderr: fromText(answer.stderr),
      exit: answer.exit,
    })
  }
  return answers
}

async function mayBecomeRoot(
  persona: GuestPersona,
  passwords: ReadonlyMap<string, string>,
  user: string,
  ask: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const rule = persona.sudo?.users[user] ?? persona.sudo?.users['*']
  if (rule === 'nopasswd') return undefined
  if (rule === undefined) return `${user} is not in the sudoers file.`
  const given = await ask()
  return given !== undefined && given === fromText(passwords.get(user) ?? '') ? undefined : 'password'
}

/** Writes the kernel's messages of this boot, as this kernel says them on this machine. */
function fillLog({ system, persona, machine }: LiveContext): void {
  const values: Readonly<Record<string, string>> = {
    procVersion: persona.kernel.procVersion,
    cmdline: persona.kernel.cmdline,
    release: persona.kernel.release,
    vcpus: String(machine.live.vcpus),
    memoryKiB: String(Math.floor(machine.hardware.memoryBytes / 1024)),
    availableKiB: String(Math.floor(system.resources.memTotalBytes / 1024)),
    dmi: ['sys_vendor', 'product_name', 'bios_version', 'bios_date']
      .map(name => machine.host?.dmi?.values[name] ?? '')
      .join(' '),
  }
  const given = givenBy(machine.hardware, machine.host)
  const lines = persona.log.filter(group => holds(group, given)).flatMap(group => group.lines)
  for (const { at, text, level } of lines.sort((a, b) => a.at - b.at)) {
    system.log.add(
      text.replace(/\{(\w+)\}/g, (all, name: string) => values[name] ?? all),
      at,
      level,
    )
  }
}

function seatProcesses({ system, persona }: LiveContext): void {
  for (const { pid, ppid, user, args } of persona.processes.flatMap(group => group.list)) {
    const uid = system.accounts.find(account => account.name === user)?.uid ?? 0
    system.processes.register(pid, ppid, { argv: /^\[.*\]$/.test(args) ? [args] : args.split(' '), uid })
  }
}

/** One bit of every so many bytes comes back wrong. */
function corrupted(data: Buffer, offset: number, every: number): Buffer {
  const first = Math.max(1, Math.ceil(offset / every)) * every
  if (first >= offset + data.length) return data
  const copy = Buffer.from(data)
  for (let at = first; at < offset + data.length; at += every)
    copy[at - offset] = (copy[at - offset] ?? 0) ^ 0x01
  return copy
}
