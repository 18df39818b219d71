import { randomUUID } from 'node:crypto'
import { InternalError } from '../../config/errors.js'
import { fromText, toBuffer } from '../files/bytes.js'
import type { Node } from '../files/nodes.js'
import { FileTree, kernelViewer } from '../files/tree.js'
import { diskDevice, givenBy, type Machine } from '../hardware/machine.js'
import { memTotalBytes } from '../hardware/memory.js'
import { holds } from '../persona/conditions.js'
import type { GuestPersona, PersonaFile } from '../persona/schema.js'
import { Clock } from './clock.js'
import type { LiveContext } from './context.js'
import { deviceNode } from './devices.js'
import { KernelLog } from './kernel-log.js'
import { liveFile } from './live-files.js'
import { liveTree } from './live-trees.js'
import { type Process, ProcessTable } from './process.js'
import { executableContent } from './programs.js'
import type { Account, Answer, PowerAction, System } from './system.js'

/** What one boot needs. */
export interface BootRequest {
  readonly nodeName: string
  readonly persona: GuestPersona
  readonly machine: Machine
  readonly accounts: readonly Account[]
  /** Passwords by user, for sudo. */
  readonly passwords: ReadonlyMap<string, string>
  /** The disk, as the last boot left it; none for a new guest. */
  readonly disk: FileTree | undefined
  power(action: PowerAction, delayMs: number): void
  cancelPower(): boolean
}

/** Boots a guest: a new system on its disk. */
export function boot(request: BootRequest): System {
  const { persona, machine } = request
  const clock = new Clock(persona.clock ?? {})
  const tree = request.disk ?? new FileTree(() => Date.now(), persona.storage.roomMiB * 1_048_576)
  tree.now = () => clock.wallMs()
  const used = new Set<string>()
  const log = new KernelLog(persona.kernel.timestamps)
  const processes = new ProcessTable(() => clock.uptimeNs(), persona.kernel.firstPid, persona.kernel.maxPid)
  const answers = readAnswers(persona)
  let lastBreathMs = performance.now()
  const system: System = {
    tree,
    clock,
    processes,
    log,
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
    resources: { vcpus: machine.hardware.vcpus, memTotalBytes: memTotalBytes(persona, machine.hardware) },
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
    sudo: (user, password) => mayBecomeRoot(persona, request.passwords, user, password),
    breathe: async (process: Process) => {
      if (process.signal.aborted) throw process.signal.reason
      if (performance.now() - lastBreathMs < 8) return
      await new Promise(resolve => setImmediate(resolve))
      lastBreathMs = performance.now()
      if (process.signal.aborted) throw process.signal.reason
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
    bootId: randomUUID(),
    modules,
    settings: new Map(),
  }
  if (request.disk) clearTemporary(tree, persona)
  furnish(context, request.disk === undefined)
  fillLog(context)
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

/** Empties what does not outlive a boot: tmpfs, and what the product's boot scripts clean. */
function clearTemporary(tree: FileTree, persona: GuestPersona): void {
  for (const path of persona.storage.clearedAtBoot) {
    const node = tree.lookup(path)
    if (node?.type !== 'directory') continue
    for (const name of node.entries.names(kernelViewer)) node.entries.delete?.(name)
  }
}

/** Puts the persona's files, devices and programs in their places; on a used disk only what the kernel makes. */
function furnish(context: LiveContext, first: boolean): void {
  const { system, persona } = context
  const { tree } = system
  const files = Object.entries(persona.files).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [path, file] of files) if (file && 'tree' in file) place(context, path, file)
  for (const [path, file] of files) {
    if (!file || 'tree' in file) continue
    if (first || 'live' in file || 'device' in file || !tree.lookup(path, kernelViewer, false))
      place(context, path, file)
  }
  if (!first) return
  const missing = new Set(persona.missing.flatMap(group => group.paths))
  for (const path of persona.programs.flatMap(group => group.paths)) {
    if (missing.has(path) || persona.files[path] === null) continue
    const name = path.split('/').at(-1) ?? ''
    if (!tree.lookup(path)) tree.install(path, executableContent(name), 0o755)
  }
  for (const account of system.accounts) {
    const home = tree.directory(account.home, account.uid === 0 ? 0o700 : 0o755)
    home.uid = account.uid
    home.gid = account.gid
  }
  const disk = diskDevice(context.machine, persona.storage.device)
  for (const name of [disk.name, `${disk.name}1`]) {
    const node = deviceNode('disk', context)
    if (node)
      tree.installNode(`/dev/${name}`, { ...node, major: disk.major, minor: name === disk.name ? 0 : 1 })
  }
}

function place(context: LiveContext, path: string, file: PersonaFile): void {
  const { tree, accounts } = context.system
  const mode = 'mode' in file && file.mode !== undefined ? Number.parseInt(file.mode, 8) : undefined
  if ('directory' in file) {
    const directory = tree.directory(fromText(path))
    if (mode !== undefined) directory.mode = mode
    return
  }
  const node = makeNode(context, path, file)
  if (mode !== undefined) node.mode = mode
  const owner = 'owner' in file ? accounts.find(account => account.name === file.owner) : undefined
  if (owner) node.uid = owner.uid
  tree.installNode(fromText(path), node)
}

function makeNode(context: LiveContext, path: string, file: Exclude<PersonaFile, { directory: true }>): Node {
  const { tree } = context.system
  const unknown = (what: string): InternalError =>
    new InternalError(`${context.persona.persona}: files › ${path}: there is no ${what}`)
  if ('link' in file) return tree.makeLink(fromText(file.link))
  if ('tree' in file) {
    const directory = liveTree(file.tree, context)
    if (!directory) throw unknown(`tree ${file.tree}`)
    return directory
  }
  if ('device' in file) {
    const node = deviceNode(file.device, context)
    if (!node) throw unknown(`device ${file.device}`)
    return node
  }
  if ('live' in file) {
    const live = liveFile(file.live, context)
    if (!live) throw unknown(`live file ${file.live}`)
    return tree.makeLive(viewer => {
      context.system.used.add(`files ${path}`)
      return fromText(live.read(viewer))
    }, live.write)
  }
  const node = tree.makeFile()
  node.data.writeAt(0, 'text' in file ? toBuffer(fromText(file.text)) : Buffer.from(file.base64, 'base64'))
  return node
}

/** Writes the kernel's messages of this boot, as this kernel says them on this machine. */
function fillLog({ system, persona, machine }: LiveContext): void {
  const values: Readonly<Record<string, string>> = {
    procVersion: persona.kernel.procVersion,
    cmdline: persona.kernel.cmdline,
    release: persona.kernel.release,
    vcpus: String(machine.hardware.vcpus),
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
    system.processes.seat(pid, ppid, { argv: /^\[.*\]$/.test(args) ? [args] : args.split(' '), uid })
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
