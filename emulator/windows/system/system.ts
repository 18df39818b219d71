import type { Machine } from '../../hardware/machine.js'
import type { Clock } from '../../system/clock.js'
import type { WindowsPersona } from '../persona/schema.js'
import type { HostTexts } from '../powershell/host-texts.js'
import type { Device } from '../store/devices.js'
import type { EventLogs } from '../store/events.js'
import type { Volume } from '../store/files.js'
import type { WinProcess, WinProcessTable } from '../store/processes.js'
import type { Registry } from '../store/registry.js'
import type { Service } from '../store/services.js'
import type { Firmware } from './firmware.js'
import type { Circumstances } from './nt.js'
import type { TimeZone } from './time-zone.js'

/** What outlives a boot. */
export interface Disk {
  readonly files: Volume
  readonly registry: Registry
  readonly events: EventLogs
  /** Who last wrote a boot or an end of one, so that a dirty end is seen at the next. */
  clean: boolean
}

/** Who may log in. */
export interface WinAccount {
  readonly name: string
  readonly sid: string
  readonly profile: string
}

/** What is asked of the power button, and how it is written down. */
export interface PowerRequest {
  readonly action: 'reboot' | 'off'
  readonly delayMs: number
  readonly process: string
  readonly user: string
  readonly reason: string
  readonly code: string
  readonly comment: string
}

/** One boot of an emulated Windows guest: the one store that every front reads. */
export interface WindowsSystem {
  readonly persona: WindowsPersona
  readonly where: Circumstances
  readonly machine: Machine
  readonly firmware: Firmware
  readonly clock: Clock
  readonly zone: TimeZone
  readonly computerName: string
  readonly accounts: readonly WinAccount[]
  readonly disk: Disk
  readonly files: Volume
  readonly registry: Registry
  readonly events: EventLogs
  readonly processes: WinProcessTable
  readonly services: ReadonlyMap<string, Service>
  /** All that Plug and Play knows now. */
  readonly devices: readonly Device[]
  /** What it had found when it booted. */
  readonly foundAtBoot: readonly Device[]
  /** Environment of every session, by name. */
  readonly environment: ReadonlyMap<string, string>
  /** Facts of the persona that were read, as `weakestProvenance` takes them. */
  readonly used: Set<string>
  readonly counters: { powershellStarts: number }
  /** What carries out the texts of a host, where a hypervisor is installed. */
  readonly hostTexts?: HostTexts | undefined
  /** Writes an event down, by the name of its occasion in the persona. */
  emit(occasion: string, inserts?: readonly string[], atMs?: number): void
  /** Goes down after a while; false when that is planned already. */
  power(request: PowerRequest): boolean
  /** Takes a planned end back; false when there was none. */
  cancelPower(): boolean
  /** Whether the guest is going down. */
  readonly goingDown: boolean
  /** Lets others run: called by programs that may loop. */
  breathe(process: WinProcess): Promise<void>
}

/** When it booted, by its own clock: it moves when the clock is set. */
export function bootedMs({ clock }: WindowsSystem): number {
  return clock.wallMs() - Number(clock.uptimeNs() / 1_000_000n)
}
