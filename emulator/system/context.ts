import type { AddedDisk, AddedNic, Machine } from '../hardware/machine.js'
import type { GuestPersona } from '../persona/schema.js'
import type { System } from './system.js'

/** What live files are made from. */
export interface LiveContext {
  readonly system: System
  readonly persona: GuestPersona
  readonly machine: Machine
  readonly bootId: string
  readonly modules: readonly (readonly [name: string, bytes: number])[]
  /** State that programs may change under /proc/sys and /sys. */
  readonly settings: Map<string, string>
  /** What this boot calls disks and cards beside the first ones. */
  readonly diskNames: Map<AddedDisk, string>
  readonly nicNames: Map<AddedNic, string>
  /** A key of SysRq was asked for. */
  sysrq(key: string): void
}
