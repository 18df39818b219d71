import type { Mischief } from './faults/mischief.js'
import type { FileTree } from './files/tree.js'
import type { EmulatedGuest, GuestDisk, GuestMemory, ListedProcess, Virtual } from './guest.js'
import { changedHardware, type Device, type Machine, putIn, takeOut } from './hardware/machine.js'
import type { GuestPersona } from './persona/schema.js'
import { makePrograms } from './programs/table.js'
import { Pulse } from './pulse.js'
import { Authenticator } from './server/authentication.js'
import { Door } from './server/door.js'
import { type HostKey, makeHostKey } from './server/host-key.js'
import { releasePort } from './server/ports.js'
import { runSession } from './server/session.js'
import { type Counters, type Execution, oldAlgorithms } from './server/ssh-server.js'
import type { ParsedGuestSpec } from './spec.js'
import { boot } from './system/boot.js'
import type { ProgramTable } from './system/programs.js'
import type { Account, PowerAction, System } from './system/system.js'
import { Timers } from './timers.js'

const linuxPrograms: ProgramTable = makePrograms()
/** How soon a fault happens after the command that brings it about, in ms. */
const unaskedMs = 20

/** An emulated Linux guest: it boots, goes down and boots again. */
export class LinuxGuest implements EmulatedGuest {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly persona: GuestPersona
  readonly counters: Counters & { boots: number } = {
    connections: 0,
    channels: 0,
    commands: 0,
    maxConcurrentChannels: 0,
    boots: 0,
  }
  readonly #spec: ParsedGuestSpec
  readonly #machine: Machine
  readonly #mischief: Mischief
  readonly #accounts: readonly Account[]
  readonly #hostKey: HostKey
  #shownKey: HostKey
  readonly #authenticator: Authenticator
  readonly #pulse: Pulse
  readonly #timers: Timers<'boot' | 'power' | 'unasked'>
  readonly #door = new Door()
  #state: EmulatedGuest['state'] = 'booting'
  #system: System | undefined
  #disk: FileTree | undefined
  readonly #virtual: Virtual
  #memory: GuestMemory | undefined
  #closed = false
  #hasPanicked = false

  constructor(
    spec: ParsedGuestSpec,
    persona: GuestPersona,
    machine: Machine,
    mischief: Mischief,
    accounts: readonly Account[],
    hostKey: HostKey,
    port: number,
    virtual: Virtual,
  ) {
    this.name = spec.name
    this.host = spec.host
    this.port = port
    this.persona = persona
    this.#spec = spec
    this.#machine = machine
    this.#mischief = mischief
    this.#accounts = accounts
    this.#hostKey = hostKey
    this.#shownKey = hostKey
    this.#virtual = virtual
    this.#pulse = new Pulse(machine.host?.pausing?.clocks ?? 'stopped')
    this.#timers = new Timers(this.#pulse)
    this.#disk = virtual.disk?.family === 'linux' ? virtual.disk.tree : undefined
    this.#memory = virtual.memory
    const { refusedLogin } = mischief.faults
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
    return [...(this.#system?.used ?? [])]
  }

  processes(): readonly ListedProcess[] {
    return (this.#system?.processes.list() ?? []).map(({ pid, ppid, pgid, argv }) => ({
      pid,
      ppid,
      pgid,
      command: argv.join(' '),
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
      const isResumed = this.#memory !== undefined
      this.#system = this.#boot()
      // What goes on from memory has booted long ago.
      const bootMs = isResumed ? 0 : this.persona.timing.bootMs + (slowBoot?.ms ?? 0)
      this.#timers.after('boot', bootMs, () => void this.#open(isResumed))
    })
  }

  #boot(): System {
    this.counters.boots++
    const passwords = new Map(this.#spec.users.map(({ name, password }) => [name, password ?? '']))
    const system = boot({
      nodeName: this.name,
      persona: this.persona,
      machine: this.#machine,
      pulse: this.#pulse,
      accounts: this.#accounts,
      passwords,
      programs: this.#virtual.programs ?? linuxPrograms,
      disk: this.#disk,
      ...(this.#memory === undefined ? {} : { memory: this.#memory }),
      power: (action, delayMs) => this.#timers.after('power', delayMs, () => void this.#goDown(action, true)),
      cancelPower: () => this.#timers.cancel('power'),
      stops: line => this.#mischief.stops(line),
      serial: text => this.#virtual.serial?.(text),
      panicked: rebootSec => this.#panicked(rebootSec),
      reset: () => void this.#goDown('reboot', false),
    })
    this.#disk = system.tree
    this.#memory = undefined
    this.#virtual.onBoot?.(system)
    return system
  }

  async #open(isResumed: boolean): Promise<void> {
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
      ...(this.#virtual.forward === undefined ? {} : { forward: this.#virtual.forward }),
    })
    if (!isOpen) return
    this.#state = 'running'
    if (!isResumed && this.#system) this.#system.serial.login(this.#system)
    this.#virtual.onUp?.()
    const { unaskedReboot, panic } = faults
    if (panic?.afterMs !== undefined && this.counters.boots === 1) {
      this.#timers.after('unasked', panic.afterMs, () => this.#system?.panic(panic.reason))
    }
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
    const { panics } = faults
    if (panics !== undefined) this.#timers.after('unasked', unaskedMs, () => this.#system?.panic(panics))
    if (faults.reboots) this.#timers.after('unasked', unaskedMs, () => void this.#goDown('reboot', false))
    runSession(execution, {
      system: this.#system,
      shell: this.persona.shell.path,
      forwardsSignals: this.persona.ssh.signals === 'forwarded',
      faults,
    })
  }

  /** Kernel and power go: connections are cut, processes end, the port closes; after a reboot it comes back. */
  async #goDown(action: PowerAction, isInOrder: boolean): Promise<void> {
    if (this.#closed || this.#state !== 'running') return
    if (isInOrder) this.#system?.goesDown(action)
    this.#state = 'down'
    this.#timers.cancel('power')
    this.#timers.cancel('unasked')
    await this.#stop()
    if (this.#closed) return
    if (this.#hasPanicked) this.#door.deaf = false
    this.#hasPanicked = false
    if (action === 'reboot') this.bootLater(this.persona.timing.shutdownMs)
    else {
      this.#state = 'off'
      this.#virtual.onOff?.()
    }
  }

  /** Nothing runs any more and nothing answers; connections stand, since nobody is there to end them. */
  #panicked(rebootSec: number): void {
    this.#hasPanicked = true
    this.#timers.cancelAll()
    this.#door.deaf = true
    for (const process of this.#system?.processes.list() ?? []) process.end({ signal: 'KILL' })
    if (rebootSec > 0) this.#timers.after('power', rebootSec * 1000, () => void this.#goDown('reboot', false))
  }

  async #stop(): Promise<void> {
    await this.#door.close()
    for (const process of this.#system?.processes.list() ?? []) process.end({ signal: 'KILL' })
    this.#system = undefined
  }

  pressPower(): void {
    if (this.persona.lifecycle?.heedsPowerButton === false) return
    // A kernel that is not up yet does not see the button.
    if (this.#state === 'running' && !this.#hasPanicked) {
      this.#timers.after('power', this.persona.timing.shutdownMs, () => void this.#goDown('off', true))
    }
  }

  pause(): void {
    this.#door.deaf = true
    if (this.persona.lifecycle?.stopsWhenPaused !== false) this.#pulse.halt()
  }

  resume(): void {
    if (this.persona.lifecycle?.wakes === false) return
    this.#pulse.goOn()
    this.#door.deaf = this.#hasPanicked
  }

  cut(): void {
    this.#door.cut()
    if (this.persona.lifecycle?.restartsWhenMoved) void this.#goDown('reboot', false)
  }

  plug(device: Device): void {
    if (this.#system) this.#system.hotplug.plug(device)
    else putIn(this.#machine, device)
  }

  unplug(device: Device): boolean {
    // A kernel that does not run, or not yet, does not hear of it.
    if (this.#state !== 'running' || this.#hasPanicked || this.#pulse.isHalted) return false
    if (this.#system) this.#system.hotplug.unplug(device)
    else takeOut(this.#machine, device)
    return true
  }

  setVcpus(count: number): void {
    const { vcpus } = changedHardware({ ...this.#spec.hardware, vcpus: count }, this.persona)
    if (this.#system) this.#system.hotplug.setVcpus(vcpus)
    else this.#machine.live.vcpus = vcpus
  }

  setMemory(bytes: number): void {
    const { memoryBytes } = changedHardware({ ...this.#spec.hardware, memoryBytes: bytes }, this.persona)
    this.#machine.live.memoryBytes = memoryBytes
  }

  nmi(): void {
    void this.#pulse.going().then(() => {
      if (!this.#hasPanicked) this.#system?.nmi()
    })
  }

  copyDisk(): GuestDisk | undefined {
    return this.#disk && { family: 'linux', tree: this.#disk.copy() }
  }

  copyMemory(): GuestMemory | undefined {
    // One that was paused before it went on from its memory still has it.
    if (this.#memory) return this.#memory
    const { bootId, clock } = this.#system ?? {}
    if (this.#state !== 'running' || this.#hasPanicked || bootId === undefined || clock === undefined)
      return undefined
    return { bootId, uptimeNs: clock.uptimeNs(), wallNs: clock.wallNs() }
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
