import { makeAccounts } from './accounts.js'
import { BaseGuest, type GuestParts } from './base-guest.js'
import type { CommandFaults } from './faults/active-faults.js'
import type { FileTree } from './files/tree.js'
import type { GuestDisk, GuestMemory, ListedProcess } from './guest.js'
import { changedHardware, type Device } from './hardware/machine.js'
import type { GuestPersona } from './persona/schema.js'
import { makePrograms } from './programs/table.js'
import { runSession } from './server/session.js'
import type { Execution, ServerRequest } from './server/ssh-server.js'
import { boot } from './system/boot.js'
import type { ProgramTable } from './system/programs.js'
import type { Account, PowerAction, System } from './system/system.js'

const linuxPrograms: ProgramTable = makePrograms()

/** An emulated Linux guest. */
export class LinuxGuest extends BaseGuest<GuestPersona, System> {
  readonly #accounts: readonly Account[]
  #disk: FileTree | undefined
  #hasPanicked = false

  constructor(parts: GuestParts<GuestPersona>) {
    super(parts)
    const { spec, persona, virtual } = parts
    this.#accounts = makeAccounts(spec.users, persona)
    this.#disk = virtual.disk?.family === 'linux' ? virtual.disk.tree : undefined
  }

  protected override get isDead(): boolean {
    return this.#hasPanicked
  }

  override factsUsed(): readonly string[] {
    return [...(this.system?.used ?? [])]
  }

  override processes(): readonly ListedProcess[] {
    return (this.system?.processes.list() ?? []).map(({ pid, ppid, pgid, argv }) => ({
      pid,
      ppid,
      pgid,
      command: argv.join(' '),
    }))
  }

  protected override boot(memory: GuestMemory | undefined): System {
    const passwords = new Map(this.spec.users.map(({ name, password }) => [name, password ?? '']))
    const system = boot({
      nodeName: this.name,
      persona: this.persona,
      machine: this.machine,
      pulse: this.pulse,
      accounts: this.#accounts,
      passwords,
      programs: this.virtual.programs ?? linuxPrograms,
      disk: this.#disk,
      ...(memory === undefined ? {} : { memory }),
      power: (action, delayMs) => this.timers.after('power', delayMs, () => void this.goDown(action, true)),
      cancelPower: () => this.timers.cancel('power'),
      stops: line => this.activeFaults.stops(line),
      serial: text => this.virtual.serial?.(text),
      panicked: rebootSec => this.#panicked(rebootSec),
      reset: () => void this.goDown('reboot', false),
    })
    this.#disk = system.tree
    this.virtual.onBoot?.(system)
    return system
  }

  protected override offers(): Pick<ServerRequest, 'forward'> {
    const { forward } = this.virtual
    return forward === undefined ? {} : { forward }
  }

  protected override greet(system: System): void {
    system.serial.login(system)
  }

  protected override run(system: System, execution: Execution, faults: CommandFaults): void {
    runSession(execution, {
      system,
      shell: this.persona.shell.path,
      forwardsSignals: this.persona.ssh.signals === 'forwarded',
      faults,
    })
  }

  protected override panic(reason: string): void {
    this.system?.panic(reason)
  }

  /** Nothing runs any more and nothing answers; connections stand, since nobody is there to end them. */
  #panicked(rebootSec: number): void {
    this.#hasPanicked = true
    this.timers.cancelAll()
    this.door.deaf = true
    if (this.system) this.endProcesses(this.system)
    if (rebootSec > 0) this.timers.after('power', rebootSec * 1000, () => void this.goDown('reboot', false))
  }

  protected override leave(system: System, action: PowerAction): void {
    system.goesDown(action)
  }

  protected override endProcesses(system: System): void {
    for (const process of system.processes.list()) process.end({ signal: 'KILL' })
  }

  protected override gone(): void {
    if (this.#hasPanicked) this.door.deaf = false
    this.#hasPanicked = false
  }

  protected override bootIdOf({ bootId }: System): string {
    return bootId
  }

  override pressPower(): void {
    if (this.persona.lifecycle?.heedsPowerButton === false) return
    // A kernel that is not up yet does not see the button.
    if (this.isHearing) {
      this.timers.after('power', this.persona.timing.shutdownMs, () => void this.goDown('off', true))
    }
  }

  override pause(): void {
    if (this.persona.lifecycle?.stopsWhenPaused === false) this.door.deaf = true
    else super.pause()
  }

  override resume(): void {
    if (this.persona.lifecycle?.wakes !== false) super.resume()
  }

  override cut(): void {
    super.cut()
    if (this.persona.lifecycle?.restartsWhenMoved) void this.goDown('reboot', false)
  }

  override plug(device: Device): void {
    if (this.system) this.system.hotplug.plug(device)
    else super.plug(device)
  }

  protected override release(device: Device): void {
    if (this.system) this.system.hotplug.unplug(device)
    else super.release(device)
  }

  override setVcpus(count: number): void {
    const { vcpus } = changedHardware({ ...this.spec.hardware, vcpus: count }, this.persona)
    if (this.system) this.system.hotplug.setVcpus(vcpus)
    else super.setVcpus(count)
  }

  override nmi(): void {
    void this.pulse.going().then(() => {
      if (!this.#hasPanicked) this.system?.nmi()
    })
  }

  override copyDisk(): GuestDisk | undefined {
    return this.#disk && { family: 'linux', tree: this.#disk.copy() }
  }
}
