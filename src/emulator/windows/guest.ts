import { randomUUID } from 'node:crypto'
import { Mischief } from '../faults/mischief.js'
import type { EmulatedGuest, ListedProcess } from '../guest.js'
import { changedHardware, type Machine } from '../hardware/machine.js'
import { loadHostPersona } from '../persona/load.js'
import { Authenticator } from '../server/authentication.js'
import { type HostKey, makeHostKey, readHostKey } from '../server/host-key.js'
import { releasePort, reservePort } from '../server/ports.js'
import {
  type Counters,
  type Execution,
  oldAlgorithms,
  type RunningServer,
  serve,
} from '../server/ssh-server.js'
import type { emulatedGuestSchema } from '../spec.js'
import { loadWindowsPersona } from './persona/load.js'
import type { WindowsPersona } from './persona/schema.js'
import { makeWindowsPrograms } from './programs/table.js'
import { runWindowsSession } from './server/session.js'
import { serveSftp } from './server/sftp.js'
import { bootWindows } from './system/boot.js'
import { compareNt } from './system/nt.js'
import type { Disk, PowerRequest, WinAccount, WindowsSystem } from './system/system.js'

type Spec = ReturnType<typeof emulatedGuestSchema.parse>

const programs = makeWindowsPrograms()

/** Starts an emulated Windows guest. Resolves when its address is known; it boots by itself. */
export async function startWindowsGuest(spec: Spec): Promise<EmulatedGuest> {
  const persona = loadWindowsPersona(spec.persona, spec.personaFolders)
  const platform = persona.hardware?.platform ?? spec.platform
  const host = platform === undefined ? undefined : loadHostPersona(platform, spec.personaFolders)
  const hostKey =
    spec.hostKey === undefined ? await makeHostKey(persona.ssh.hostKey) : readHostKey(spec.hostKey)
  const port = await reservePort(spec.host, spec.port)
  const uuid = randomUUID()
  const machine: Machine = {
    hardware: changedHardware(spec.hardware, persona),
    host,
    uuid,
    macAddress: `52:54:00:${uuid.slice(0, 2)}:${uuid.slice(2, 4)}:${uuid.slice(4, 6)}`,
  }
  const guest = new WindowsGuest(spec, persona, machine, hostKey, port)
  await guest.prepare()
  guest.bootLater(0)
  return guest
}

function accountsOf(users: Spec['users'], persona: WindowsPersona): WinAccount[] {
  const folder = compareNt(persona.os.nt, '6.0') < 0 ? 'C:\\Documents and Settings' : 'C:\\Users'
  const authority = 'S-1-5-21-1844237615-1580818891-725345543'
  const names = [
    'Administrator',
    ...users.map(({ name }) => name).filter(name => name.toLowerCase() !== 'administrator'),
  ]
  return names.map((name, index) => ({
    name,
    sid: `${authority}-${index === 0 ? 500 : 1000 + index}`,
    profile: `${folder}\\${name}`,
  }))
}

/** At most fifteen letters, digits and dashes, in capitals: NetBIOS's rule. */
function computerName(name: string): string {
  const [first = ''] = name.split('.')
  const clean = first
    .replace(/[^A-Za-z0-9-]/g, '-')
    .slice(0, 15)
    .toUpperCase()
  return clean === '' ? 'WINDOWS' : clean
}

class WindowsGuest implements EmulatedGuest {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly persona: WindowsPersona
  readonly counters: Counters & { boots: number; powershellStarts: number } = {
    connections: 0,
    channels: 0,
    commands: 0,
    maxConcurrentChannels: 0,
    boots: 0,
    powershellStarts: 0,
  }
  readonly #machine: Machine
  readonly #mischief: Mischief
  readonly #accounts: readonly WinAccount[]
  readonly #hostKey: HostKey
  #shownKey: HostKey
  readonly #authenticator: Authenticator
  readonly #timers = new Map<'boot' | 'power' | 'unasked', NodeJS.Timeout>()
  readonly #used = new Set<string>()
  #state: EmulatedGuest['state'] = 'booting'
  #system: WindowsSystem | undefined
  #disk: Disk | undefined
  #server: RunningServer | undefined
  #closed = false

  constructor(spec: Spec, persona: WindowsPersona, machine: Machine, hostKey: HostKey, port: number) {
    this.name = spec.name
    this.host = spec.host
    this.port = port
    this.persona = persona
    this.#machine = machine
    this.#mischief = new Mischief({ ...persona.faults?.list, ...spec.faults })
    this.#accounts = accountsOf(spec.users, persona)
    this.#hostKey = hostKey
    this.#shownKey = hostKey
    const { refusedLogin } = this.#mischief.faults
    const refusals = refusedLogin === true ? Number.POSITIVE_INFINITY : (refusedLogin?.times ?? 0)
    this.#authenticator = new Authenticator(spec.users, persona.ssh.methods, refusals)
  }

  get state(): EmulatedGuest['state'] {
    return this.#state
  }

  get hostKeyFingerprint(): string {
    return this.#hostKey.fingerprint
  }

  get hostKey(): string {
    return this.#hostKey.pem
  }

  factsUsed(): readonly string[] {
    return [...this.#used]
  }

  processes(): readonly ListedProcess[] {
    return (this.#system?.processes.list() ?? []).map(({ pid, ppid, image, line }) => ({
      pid,
      ppid,
      pgid: pid,
      command: line || image,
    }))
  }

  /** Makes what takes a while before the address is told. */
  async prepare(): Promise<void> {
    if (this.#mischief.faults.wrongHostKey) this.#shownKey = await makeHostKey(this.persona.ssh.hostKey)
  }

  /** Boots after a while: the port opens when that is done. */
  bootLater(delayMs: number): void {
    this.#state = 'booting'
    const { neverBoots, slowBoot } = this.#mischief.faults
    if (neverBoots) return
    this.#after('boot', delayMs, () => {
      this.counters.boots++
      this.#system = bootWindows({
        computerName: computerName(this.name),
        persona: this.persona,
        machine: this.#machine,
        accounts: this.#accounts,
        counters: this.counters,
        disk: this.#disk,
        used: this.#used,
        power: request => this.#askedToGoDown(request),
        cancelPower: () => this.#cancelPower(),
        goingDown: () => this.#state === 'down',
      })
      this.#disk = this.#system.disk
      this.#after('boot', this.persona.timing.bootMs + (slowBoot?.ms ?? 0), () => void this.#open())
    })
  }

  async #open(): Promise<void> {
    const { faults } = this.#mischief
    const { ssh } = this.persona
    this.#server = await serve({
      host: this.host,
      port: this.port,
      hostKey: this.#shownKey,
      ssh: faults.onlyOldAlgorithms ? { ...ssh, algorithms: oldAlgorithms } : ssh,
      authenticator: this.#authenticator,
      counters: this.counters,
      noBanner: faults.noBanner === true,
      execute: execution => this.#execute(execution),
      ...(ssh.sftp ? { sftp: (user, stream) => this.#system && serveSftp(this.#system, user, stream) } : {}),
    })
    if (this.#closed) {
      await this.#server.close()
      return
    }
    this.#state = 'running'
    const { unaskedReboot } = faults
    if (unaskedReboot?.afterMs !== undefined && this.counters.boots === 1) {
      this.#after('unasked', unaskedReboot.afterMs, () => void this.#goDown('reboot', false))
    }
  }

  #execute(execution: Execution): void {
    if (!this.#system) {
      execution.channel.close()
      return
    }
    const faults = this.#mischief.forCommand(execution.command ?? '')
    if (faults.reboots) this.#after('unasked', 20, () => void this.#goDown('reboot', false))
    runWindowsSession(execution, { system: this.#system, programs, faults })
  }

  #askedToGoDown(request: PowerRequest): boolean {
    if (this.#timers.has('power')) return false
    const { action, delayMs, process, user, reason, code, comment } = request
    if (this.persona.state.reboot === 'lies' && action === 'reboot') {
      this.#after('power', delayMs, () => void this.#pretend())
      return true
    }
    const kind = action === 'reboot' ? 'restart' : 'power off'
    const computer = this.#system?.computerName ?? ''
    this.#system?.emit('power-requested', [process, computer, reason, code, kind, comment, user])
    this.#after('power', delayMs, () => void this.#goDown(action, true))
    return true
  }

  #cancelPower(): boolean {
    const planned = this.#cancel('power')
    if (planned) this.#system?.emit('power-cancelled', [`${this.#system.computerName}\\Administrator`])
    return planned
  }

  /** Cuts the connections as if it went down, and does no more. */
  async #pretend(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.close()
    if (!this.#closed) this.#after('boot', this.persona.timing.shutdownMs, () => void this.#open())
  }

  /** Connections are cut, processes end, the port closes; after a reboot it comes back. */
  async #goDown(action: 'reboot' | 'off', clean: boolean): Promise<void> {
    if (this.#closed || this.#state !== 'running') return
    this.#state = 'down'
    this.#cancel('power')
    this.#cancel('unasked')
    if (clean && this.#system) {
      this.#system.emit('log-stopped')
      this.#system.emit('kernel-stopped')
      this.#system.disk.clean = true
    }
    await this.#stop()
    if (this.#closed) return
    if (action === 'reboot') this.bootLater(this.persona.timing.shutdownMs)
    else this.#state = 'off'
  }

  async #stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.close()
    for (const process of this.#system?.processes.list() ?? []) process.terminate(0x40010004)
    this.#system = undefined
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#state = 'off'
    for (const name of [...this.#timers.keys()]) this.#cancel(name)
    await this.#stop()
    releasePort(this.host, this.port)
  }

  #after(name: 'boot' | 'power' | 'unasked', ms: number, act: () => void): void {
    this.#cancel(name)
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name)
        act()
      }, ms),
    )
  }

  #cancel(name: 'boot' | 'power' | 'unasked'): boolean {
    const timer = this.#timers.get(name)
    clearTimeout(timer)
    this.#timers.delete(name)
    return timer !== undefined
  }
}
