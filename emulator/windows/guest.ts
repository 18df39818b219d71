import { randomUUID } from 'node:crypto'
import { Mischief } from '../faults/mischief.js'
import type { EmulatedGuest, GuestDisk, GuestMemory, ListedProcess, Virtual } from '../guest.js'
import { changedHardware, type Device, type Machine, putIn, takeOut } from '../hardware/machine.js'
import { Pulse } from '../pulse.js'
import { Authenticator } from '../server/authentication.js'
import { Door } from '../server/door.js'
import { type HostKey, makeHostKey } from '../server/host-key.js'
import { releasePort } from '../server/ports.js'
import { type Counters, type Execution, oldAlgorithms } from '../server/ssh-server.js'
import type { emulatedGuestSchema } from '../spec.js'
import { Timers } from '../timers.js'
import { accountsOf, computerName } from './identity.js'
import type { WindowsPersona } from './persona/schema.js'
import { makeWindowsPrograms } from './programs/table.js'
import { runWindowsSession } from './server/session.js'
import { serveSftp } from './server/sftp.js'
import { bootWindows } from './system/boot.js'
import { copyOfWindowsDisk } from './system/disk.js'
import type { Disk, PowerRequest, WinAccount, WindowsSystem } from './system/system.js'

type Spec = ReturnType<typeof emulatedGuestSchema.parse>

const programs = makeWindowsPrograms()

/** An emulated Windows guest: it boots, goes down and boots again. */
export class WindowsGuest implements EmulatedGuest {
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
  readonly #spec: Spec
  readonly #machine: Machine
  readonly #mischief: Mischief
  readonly #accounts: readonly WinAccount[]
  readonly #hostKey: HostKey
  #shownKey: HostKey
  readonly #authenticator: Authenticator
  readonly #pulse: Pulse
  readonly #timers: Timers<'boot' | 'power' | 'unasked'>
  readonly #door = new Door()
  readonly #virtual: Virtual
  readonly #used = new Set<string>()
  #state: EmulatedGuest['state'] = 'booting'
  #system: WindowsSystem | undefined
  #disk: Disk | undefined
  /** Tells one boot from another: a boot that goes on from memory is the same one. */
  #bootId = ''
  #memory: GuestMemory | undefined
  #closed = false

  constructor(
    spec: Spec,
    persona: WindowsPersona,
    machine: Machine,
    hostKey: HostKey,
    port: number,
    virtual: Virtual,
  ) {
    this.#spec = spec
    this.#virtual = virtual
    this.#pulse = new Pulse(machine.host?.pausing?.clocks ?? 'stopped')
    this.#timers = new Timers(this.#pulse)
    this.#disk = virtual.disk?.family === 'windows' ? virtual.disk.disk : undefined
    this.#memory = virtual.memory
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
    this.#timers.after('boot', delayMs, () => {
      this.counters.boots++
      const memory = this.#memory
      this.#memory = undefined
      this.#bootId = memory?.bootId ?? randomUUID()
      this.#system = bootWindows({
        computerName: computerName(this.name),
        persona: this.persona,
        machine: this.#machine,
        pulse: this.#pulse,
        accounts: this.#accounts,
        counters: this.counters,
        disk: this.#disk,
        ...(memory === undefined ? {} : { memory }),
        used: this.#used,
        power: request => this.#askedToGoDown(request),
        cancelPower: () => this.#cancelPower(),
        goingDown: () => this.#state === 'down',
      })
      this.#disk = this.#system.disk
      // What goes on from memory has booted long ago.
      const bootMs = memory ? 0 : this.persona.timing.bootMs + (slowBoot?.ms ?? 0)
      this.#timers.after('boot', bootMs, () => void this.#open())
    })
  }

  async #open(): Promise<void> {
    const { faults } = this.#mischief
    const { ssh } = this.persona
    const isOpen = await this.#door.open({
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
    if (!isOpen) return
    this.#state = 'running'
    this.#virtual.onUp?.()
    const { unaskedReboot, panic } = faults
    if (panic?.afterMs !== undefined) this.#timers.after('unasked', panic.afterMs, () => this.pause())
    if (unaskedReboot?.afterMs !== undefined && this.counters.boots === 1) {
      this.#timers.after('unasked', unaskedReboot.afterMs, () => void this.#goDown('reboot', false))
    }
  }

  #execute(execution: Execution): void {
    if (!this.#system) {
      execution.channel.close()
      return
    }
    const faults = this.#mischief.forCommand(execution.command ?? '')
    this.#virtual.onCommand?.(execution.command ?? '')
    if (faults.panics !== undefined) this.#timers.after('unasked', 20, () => this.pause())
    if (faults.reboots) this.#timers.after('unasked', 20, () => void this.#goDown('reboot', false))
    const { altered } = faults
    const carriedOut = altered === undefined ? execution : { ...execution, command: altered }
    runWindowsSession(carriedOut, { system: this.#system, programs, faults })
  }

  #askedToGoDown(request: PowerRequest): boolean {
    if (this.#timers.has('power')) return false
    const { action, delayMs, process, user, reason, code, comment } = request
    if (this.persona.state.reboot === 'lies' && action === 'reboot') {
      this.#timers.after('power', delayMs, () => void this.#pretend())
      return true
    }
    const kind = action === 'reboot' ? 'restart' : 'power off'
    const computer = this.#system?.computerName ?? ''
    this.#system?.emit('power-requested', [process, computer, reason, code, kind, comment, user])
    this.#timers.after('power', delayMs, () => void this.#goDown(action, true))
    return true
  }

  #cancelPower(): boolean {
    const planned = this.#timers.cancel('power')
    if (planned) this.#system?.emit('power-cancelled', [`${this.#system.computerName}\\Administrator`])
    return planned
  }

  /** Cuts the connections as if it went down, and does no more. */
  async #pretend(): Promise<void> {
    await this.#door.close()
    if (!this.#closed) this.#timers.after('boot', this.persona.timing.shutdownMs, () => void this.#open())
  }

  /** Connections are cut, processes end, the port closes; after a reboot it comes back. */
  async #goDown(action: 'reboot' | 'off', clean: boolean): Promise<void> {
    if (this.#closed || this.#state !== 'running') return
    this.#state = 'down'
    this.#timers.cancel('power')
    this.#timers.cancel('unasked')
    if (clean && this.#system) {
      this.#system.emit('log-stopped')
      this.#system.emit('kernel-stopped')
      this.#system.disk.clean = true
    }
    await this.#stop()
    if (this.#closed) return
    if (action === 'reboot') this.bootLater(this.persona.timing.shutdownMs)
    else {
      this.#state = 'off'
      this.#virtual.onOff?.()
    }
  }

  async #stop(): Promise<void> {
    await this.#door.close()
    for (const process of this.#system?.processes.list() ?? []) process.terminate(0x40010004)
    this.#system = undefined
  }

  pressPower(): void {
    if (this.#state === 'running' && !this.#timers.has('power')) {
      this.#timers.after('power', this.persona.timing.shutdownMs, () => void this.#goDown('off', true))
    }
  }

  pause(): void {
    this.#door.deaf = true
    this.#pulse.halt()
  }

  resume(): void {
    this.#pulse.goOn()
    this.#door.deaf = false
  }

  cut(): void {
    this.#door.cut()
  }

  plug(device: Device): void {
    putIn(this.#machine, device)
  }

  unplug(device: Device): boolean {
    if (this.#state !== 'running' || this.#pulse.isHalted) return false
    takeOut(this.#machine, device)
    return true
  }

  setVcpus(count: number): void {
    this.#machine.live.vcpus = changedHardware({ ...this.#spec.hardware, vcpus: count }, this.persona).vcpus
  }

  /** Its memory is what it was started with: Windows goes on counting what a balloon took. */
  setMemory(bytes: number): void {
    const { memoryBytes } = changedHardware({ ...this.#spec.hardware, memoryBytes: bytes }, this.persona)
    this.#machine.live.memoryBytes = memoryBytes
  }

  /** It has no use for one that its hardware does not explain, unless NMICrashDump asks for a stop: not played. */
  nmi(): void {}

  copyDisk(): GuestDisk | undefined {
    return this.#disk && { family: 'windows', disk: copyOfWindowsDisk(this.#disk) }
  }

  copyMemory(): GuestMemory | undefined {
    // One that was paused before it went on from its memory still has it.
    if (this.#memory) return this.#memory
    const { clock } = this.#system ?? {}
    if (this.#state !== 'running' || clock === undefined) return undefined
    return { bootId: this.#bootId, uptimeNs: clock.uptimeNs(), wallNs: clock.wallNs() }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#state = 'off'
    this.#timers.cancelAll()
    await this.#stop()
    releasePort(this.host, this.port)
  }
}
