import { randomUUID } from 'node:crypto'
import { BaseGuest, type GuestParts } from '../base-guest.js'
import type { CommandFaults } from '../faults/active-faults.js'
import type { GuestDisk, GuestMemory, ListedProcess } from '../guest.js'
import type { Counters, Execution, ServerRequest } from '../server/ssh-server.js'
import { accountsOf, computerName } from './identity.js'
import type { WindowsPersona } from './persona/schema.js'
import { makeWindowsPrograms } from './programs/table.js'
import { runWindowsSession } from './server/session.js'
import { serveSftp } from './server/sftp.js'
import { bootWindows } from './system/boot.js'
import { copyOfWindowsDisk } from './system/disk.js'
import type { Disk, PowerRequest, WinAccount, WindowsSystem } from './system/system.js'

const programs = makeWindowsPrograms()
/** What a process says that was ended because the system goes down: DBG_TERMINATE_PROCESS. */
const terminatedByShutdown = 0x40010004

/** An emulated Windows guest. */
export class WindowsGuest extends BaseGuest<WindowsPersona, WindowsSystem> {
  override readonly counters: Counters & { boots: number; powershellStarts: number } = {
    connections: 0,
    channels: 0,
    commands: 0,
    maxConcurrentChannels: 0,
    boots: 0,
    powershellStarts: 0,
  }
  readonly #accounts: readonly WinAccount[]
  readonly #used = new Set<string>()
  #disk: Disk | undefined
  /** A boot that goes on from memory is the same one. */
  #bootId = ''

  constructor(parts: GuestParts<WindowsPersona>) {
    super(parts)
    const { spec, persona, virtual } = parts
    this.#accounts = accountsOf(spec.users, persona)
    this.#disk = virtual.disk?.family === 'windows' ? virtual.disk.disk : undefined
  }

  override factsUsed(): readonly string[] {
    return [...this.#used]
  }

  override processes(): readonly ListedProcess[] {
    return (this.system?.processes.list() ?? []).map(({ pid, ppid, image, line }) => ({
      pid,
      ppid,
      pgid: pid,
      command: line || image,
    }))
  }

  protected override boot(memory: GuestMemory | undefined): WindowsSystem {
    this.#bootId = memory?.bootId ?? randomUUID()
    const system = bootWindows({
      computerName: computerName(this.name),
      persona: this.persona,
      machine: this.machine,
      pulse: this.pulse,
      accounts: this.#accounts,
      counters: this.counters,
      disk: this.#disk,
      ...(memory === undefined ? {} : { memory }),
      used: this.#used,
      hostTexts: this.virtual.hostTexts,
      power: request => this.#askedToGoDown(request),
      cancelPower: () => this.#cancelPower(),
      goingDown: () => this.state === 'down',
    })
    this.#disk = system.disk
    return system
  }

  protected override offers(): Pick<ServerRequest, 'forward' | 'sftp'> {
    const { forward } = this.virtual
    return {
      ...(forward === undefined ? {} : { forward }),
      ...(this.persona.ssh.sftp
        ? { sftp: (user, stream) => this.system && serveSftp(this.system, user, stream) }
        : {}),
    }
  }

  protected override run(system: WindowsSystem, execution: Execution, faults: CommandFaults): void {
    const { altered } = faults
    const carriedOut = altered === undefined ? execution : { ...execution, command: altered }
    runWindowsSession(carriedOut, { system, programs, faults })
  }

  /** It stands still, and says nothing: the stop screen is not played. */
  protected override panic(): void {
    this.pause()
  }

  #askedToGoDown(request: PowerRequest): boolean {
    if (this.timers.has('power')) return false
    const { action, delayMs, process, user, reason, code, comment } = request
    if (this.persona.state.reboot === 'lies' && action === 'reboot') {
      this.timers.after('power', delayMs, () => void this.pretendReboot())
      return true
    }
    const kind = action === 'reboot' ? 'restart' : 'power off'
    const computer = this.system?.computerName ?? ''
    this.system?.emit('power-requested', [process, computer, reason, code, kind, comment, user])
    this.timers.after('power', delayMs, () => void this.goDown(action, true))
    return true
  }

  #cancelPower(): boolean {
    const planned = this.timers.cancel('power')
    if (planned) this.system?.emit('power-cancelled', [`${this.system.computerName}\\Administrator`])
    return planned
  }

  protected override leave(system: WindowsSystem): void {
    system.emit('log-stopped')
    system.emit('kernel-stopped')
    system.disk.clean = true
  }

  protected override endProcesses(system: WindowsSystem): void {
    for (const process of system.processes.list()) process.terminate(terminatedByShutdown)
  }

  protected override bootIdOf(): string {
    return this.#bootId
  }

  override pressPower(): void {
    if (this.isHearing && !this.timers.has('power')) {
      this.timers.after('power', this.persona.timing.shutdownMs, () => void this.goDown('off', true))
    }
  }

  /** It has no use for one that its hardware does not explain, unless NMICrashDump asks for a stop: not played. */
  override nmi(): void {}

  override copyDisk(): GuestDisk | undefined {
    return this.#disk && { family: 'windows', disk: copyOfWindowsDisk(this.#disk) }
  }
}
