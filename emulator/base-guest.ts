import { ActiveFaults, type CommandFaults } from './faults/active-faults.js'
import type { EmulatedGuest, GuestDisk, GuestMemory, ListedProcess, Virtual } from './guest.js'
import { changedHardware, type Device, type Machine, machineAs, putIn, takeOut } from './hardware/machine.js'
import type { GuestPersona } from './persona/schema.js'
import { Pulse } from './pulse.js'
import { Authenticator } from './server/authentication.js'
import { Door } from './server/door.js'
import { type HostKey, makeHostKey, otherHostKey, readHostKey } from './server/host-key.js'
import { releasePort, reservePort } from './server/ports.js'
import { type Counters, type Execution, oldAlgorithms, type ServerRequest } from './server/ssh-server.js'
import type { ParsedGuestSpec } from './spec.js'
import type { Clock } from './system/clock.js'
import type { PowerAction } from './system/system.js'
import { Timers } from './timers.js'
import type { WindowsPersona } from './windows/persona/schema.js'

/** How soon a fault happens after the command that brings it about, in ms. */
const unexpectedMs = 20

/** What an emulated guest is made of. */
export interface GuestParts<Persona> {
  readonly spec: ParsedGuestSpec
  readonly persona: Persona
  readonly machine: Machine
  readonly hostKey: HostKey
  readonly port: number
  readonly virtual: Virtual
}

/** Gives a guest its host key, its port, and the machine that its hypervisor says it has. */
export async function partsOf<Persona extends GuestPersona | WindowsPersona>(
  given: Omit<GuestParts<Persona>, 'hostKey' | 'port'>,
): Promise<GuestParts<Persona>> {
  const { spec, persona, machine, virtual } = given
  const hostKey = spec.hostKey === undefined ? makeHostKey(persona.ssh.hostKey) : readHostKey(spec.hostKey)
  const port = await reservePort(spec.host, spec.port)
  return { ...given, machine: machineAs(machine, virtual.machine), hostKey, port }
}

/**
 * An emulated guest of any family: it boots, opens its port, runs what it is sent, goes down and boots again, and
 * misbehaves as it is told to. A family says what a boot of its system is, and how that runs and ends.
 */
export abstract class BaseGuest<
  Persona extends GuestPersona | WindowsPersona,
  System extends { readonly clock: Clock },
> implements EmulatedGuest
{
  readonly name: string
  readonly host: string
  readonly port: number
  readonly persona: Persona
  readonly counters: Counters & { boots: number } = {
    connections: 0,
    channels: 0,
    commands: 0,
    maxConcurrentChannels: 0,
    boots: 0,
  }
  protected readonly spec: ParsedGuestSpec
  protected readonly machine: Machine
  protected readonly activeFaults: ActiveFaults
  protected readonly virtual: Virtual
  protected readonly pulse: Pulse
  protected readonly timers: Timers<'boot' | 'power' | 'unexpected'>
  protected readonly door = new Door()
  /** What runs since the last boot; undefined while nothing does. */
  protected system: System | undefined
  readonly #hostKey: HostKey
  #shownKey: HostKey
  readonly #authenticator: Authenticator
  #state: EmulatedGuest['state'] = 'booting'
  #memory: GuestMemory | undefined
  #closed = false

  constructor({ spec, persona, machine, hostKey, port, virtual }: GuestParts<Persona>) {
    this.name = spec.name
    this.host = spec.host
    this.port = port
    this.persona = persona
    this.spec = spec
    this.machine = machine
    this.virtual = virtual
    this.activeFaults = new ActiveFaults({ ...persona.faults?.list, ...spec.faults })
    this.pulse = new Pulse(machine.host?.pausing?.clocks ?? 'stopped')
    this.timers = new Timers(this.pulse)
    this.#hostKey = hostKey
    this.#shownKey = hostKey
    this.#memory = virtual.memory
    const { refusedLogin } = this.activeFaults.faults
    const refusals = refusedLogin === true ? Number.POSITIVE_INFINITY : (refusedLogin?.times ?? 0)
    this.#authenticator = new Authenticator(spec.users, persona.ssh.methods, refusals)
  }

  /** Starts the system from its disk, or where the memory says that it was. */
  protected abstract boot(memory: GuestMemory | undefined): System
  /** Runs what a client sent. */
  protected abstract run(system: System, execution: Execution, faults: CommandFaults): void
  /** Its kernel gives up. */
  protected abstract panic(reason: string): void
  /** Notes in the system that it goes down in order. */
  protected abstract leave(system: System, action: PowerAction): void
  /** Ends every process of the system. */
  protected abstract endProcesses(system: System): void
  /** Tells one boot from another. */
  protected abstract bootIdOf(system: System): string
  abstract factsUsed(): readonly string[]
  abstract processes(): readonly ListedProcess[]
  abstract pressPower(): void
  abstract copyDisk(): GuestDisk | undefined
  abstract nmi(): void

  /** Whether its kernel has given up. */
  protected get isDead(): boolean {
    return false
  }

  /** Whether it is up, and its kernel sees what happens to its machine. */
  protected get isHearing(): boolean {
    return this.#state === 'running' && !this.isDead
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

  /** Makes what takes a while before the address is told. */
  async prepare(): Promise<void> {
    if (this.activeFaults.faults.wrongHostKey) {
      this.#shownKey = otherHostKey(this.persona.ssh.hostKey, this.#hostKey)
    }
  }

  /** Boots after a while: the port opens when that is done. */
  bootLater(delayMs: number): void {
    this.#state = 'booting'
    const { neverBoots, slowBoot } = this.activeFaults.faults
    if (neverBoots) return
    this.timers.after('boot', delayMs, () => {
      const memory = this.#memory
      this.counters.boots++
      this.system = this.boot(memory)
      this.#memory = undefined
      // What goes on from memory has booted long ago.
      const bootMs = memory ? 0 : this.persona.timing.bootMs + (slowBoot?.ms ?? 0)
      this.timers.after('boot', bootMs, () => void this.open(memory !== undefined))
    })
  }

  /** What its SSH server offers beside commands. */
  protected offers(): Pick<ServerRequest, 'forward' | 'sftp'> {
    return {}
  }

  /** Opens its port: it is up from then on. */
  protected async open(isResumed: boolean): Promise<void> {
    const { faults } = this.activeFaults
    const { ssh } = this.persona
    const isOpen = await this.door.open({
      host: this.host,
      port: this.port,
      hostKey: this.#shownKey,
      ssh: faults.onlyOldAlgorithms ? { ...ssh, algorithms: oldAlgorithms } : ssh,
      authenticator: this.#authenticator,
      counters: this.counters,
      noBanner: faults.noBanner === true,
      execute: execution => this.#execute(execution),
      ...this.offers(),
    })
    if (!isOpen) return
    this.#state = 'running'
    if (!isResumed && this.system) this.greet(this.system)
    this.virtual.onUp?.()
    if (this.counters.boots > 1) return
    const { unaskedReboot, panic } = faults
    if (panic?.afterMs !== undefined) {
      this.timers.after('unexpected', panic.afterMs, () => this.panic(panic.reason))
    }
    if (unaskedReboot?.afterMs !== undefined) {
      this.timers.after('unexpected', unaskedReboot.afterMs, () => void this.goDown('reboot', false))
    }
  }

  /** Says on its console that it is up. */
  protected greet(_system: System): void {}

  #execute(execution: Execution): void {
    if (!this.system) {
      execution.channel.close()
      return
    }
    const faults = this.activeFaults.forCommand(execution.command ?? '')
    this.virtual.onCommand?.(execution.command ?? '')
    const { panics } = faults
    if (panics !== undefined) this.timers.after('unexpected', unexpectedMs, () => this.panic(panics))
    if (faults.reboots) this.timers.after('unexpected', unexpectedMs, () => void this.goDown('reboot', false))
    this.run(this.system, execution, faults)
  }

  /** Kernel and power go: connections are cut, processes end, the port closes; after a reboot it comes back. */
  protected async goDown(action: PowerAction, isInOrder: boolean): Promise<void> {
    if (this.#closed || this.#state !== 'running') return
    if (isInOrder && this.system) this.leave(this.system, action)
    this.#state = 'down'
    this.timers.cancel('power')
    this.timers.cancel('unexpected')
    await this.#stop()
    if (this.#closed) return
    this.gone()
    if (action === 'reboot') this.bootLater(this.persona.timing.shutdownMs)
    else {
      this.#state = 'off'
      this.virtual.onOff?.()
    }
  }

  /** Done when nothing of the system is left. */
  protected gone(): void {}

  /** Cuts the connections as if it went down, and opens its port again. */
  protected async pretendReboot(): Promise<void> {
    await this.door.close()
    if (!this.#closed) this.timers.after('boot', this.persona.timing.shutdownMs, () => void this.open(true))
  }

  async #stop(): Promise<void> {
    await this.door.close()
    if (this.system) this.endProcesses(this.system)
    this.system = undefined
  }

  pause(): void {
    this.door.deaf = true
    this.pulse.halt()
  }

  resume(): void {
    this.pulse.goOn()
    this.door.deaf = this.isDead
  }

  cut(): void {
    this.door.cut()
  }

  plug(device: Device): void {
    putIn(this.machine, device)
  }

  unplug(device: Device): boolean {
    // A kernel that does not run, or not yet, does not hear of it.
    if (!this.isHearing || this.pulse.isHalted) return false
    this.release(device)
    return true
  }

  /** Lets go of a device that it was asked for. */
  protected release(device: Device): void {
    takeOut(this.machine, device)
  }

  setVcpus(count: number): void {
    this.machine.live.vcpus = changedHardware({ ...this.spec.hardware, vcpus: count }, this.persona).vcpus
  }

  setMemory(bytes: number): void {
    const { memoryBytes } = changedHardware({ ...this.spec.hardware, memoryBytes: bytes }, this.persona)
    this.machine.live.memoryBytes = memoryBytes
  }

  copyMemory(): GuestMemory | undefined {
    // One that was paused before it went on from its memory still has it.
    if (this.#memory) return this.#memory
    if (!this.isHearing || !this.system) return undefined
    const { clock } = this.system
    return { bootId: this.bootIdOf(this.system), uptimeNs: clock.uptimeNs(), wallNs: clock.wallNs() }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#state = 'off'
    this.timers.cancelAll()
    await this.#stop()
    releasePort(this.host, this.port)
  }
}
