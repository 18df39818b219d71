import type { Ability } from '../../config/abilities.js'
import type { Access, AddedDisk } from '../driver.js'
import type { HostLimits, Limit } from '../limit.js'
import type { Glance, Observation } from './observation.js'

/** What a later observation must show for a command to have been carried out. */
export interface Expectation {
  /** What was to happen, as in "the guest did not …". */
  readonly what: string
  /** Whose fault it is when it does not. */
  readonly cause: 'guest' | 'host'
  /** How long it may take; `null` where the host says so at once. */
  readonly limit: Limit | null
  /** True where devices must be looked at. */
  readonly devices?: boolean
  holds(seen: Observation): boolean
  /** What will do, too, when the limit is reached. */
  settlesFor?(seen: Observation): boolean
  /** What the command said, for the message. */
  readonly said?: string
}

/** A command that was sent: what it gave, and what shows that it was carried out; `null` where nothing can. */
export interface Sent<T> {
  readonly value: T
  readonly shows: Expectation | null
  /** What is left to do once it was carried out, such as to remove the file of a disk that was let go of. */
  readonly finish?: (signal: AbortSignal) => Promise<void>
}

/** Changes a virtual machine. It may return before the change is made, and after it has failed. */
export type Command<A extends readonly unknown[] = [], T = void> = (
  ...args: [...A, AbortSignal]
) => Promise<Sent<T>>

/** What may be done to a virtual machine that runs, beside starting and ending it. */
export interface VmCommands {
  pause?: Command
  resume?: Command
  reset?: Command
  nmi?: Command
  /** Takes the n-th picture; gives the name of its file in the evidence folder. */
  screenshot?: Command<[number: number], string>
  snapshot?: Command<[name: string]>
  /** Goes back to a snapshot; the machine runs afterwards. */
  revert?: Command<[name: string]>
  deleteSnapshot?: Command<[name: string]>
  attachDisk?: Command<[sizeBytes: number], AddedDisk>
  detachDisk?: Command<[serial: string]>
  attachNic?: Command<[], { readonly mac: string }>
  detachNic?: Command<[mac: string]>
  setVcpus?: Command<[count: number]>
  setMemory?: Command<[bytes: number]>
  /** Moves it to its other host. */
  migrate?: Command
}

/**
 * What shows that something was done: a later state; another incarnation; the guest itself, which alone can tell; or
 * nothing but the word of the command.
 */
export type Proof = 'state' | 'incarnation' | 'guest' | 'command'

/** What proves each ability, where a driver does not say otherwise. */
export const usualProofs: Readonly<Record<Ability, Proof>> = {
  'attach-disk': 'state',
  'attach-nic': 'state',
  console: 'command',
  migrate: 'state',
  nmi: 'guest',
  pause: 'state',
  reset: 'guest',
  revert: 'state',
  screenshot: 'command',
  'set-memory': 'state',
  'set-vcpus': 'state',
  snapshot: 'command',
  stop: 'state',
}

/** What is known of a virtual machine once it runs. */
export interface Description extends Pick<Observation, 'host' | 'incarnation'> {
  readonly facts: Readonly<Record<string, string>>
  /** What its host can do with it, as it is. */
  readonly abilities: ReadonlySet<Ability>
  /** Reads what its console has written since the last time; `null` where it has none that can be read. */
  readonly console: ((signal: AbortSignal) => Promise<Buffer>) | null
}

/** What a backend reports by itself. */
export type Hint =
  /** What a list shows; `null` when it must be looked at. `askedAtMs` is monotonic: what happened since is not in it. */
  | { readonly type: 'seen'; readonly seen: Glance | null; readonly askedAtMs: number }
  /** The host has not answered for as long as it may. */
  | { readonly type: 'silent'; readonly error: Error }
  /** The host knows of a crash in the guest that did not end the machine. */
  | { readonly type: 'panicked'; readonly why: string }

/** A virtual machine as a lab lends it: what it must be again when it is given back. */
export interface Found {
  readonly power: 'on' | 'paused' | 'off'
  readonly vcpus: number | null
  readonly memoryBytes: number | null
  readonly disks: readonly string[]
  readonly nics: readonly string[]
  readonly snapshots: readonly string[]
}

/**
 * One virtual machine on one hypervisor, as a driver gives it: primitives, each of which may be repeated. When they are
 * called, in which order, and whether they did anything, is decided by `ManagedVm`.
 */
export interface VmBackend extends VmCommands {
  /** The instance, for messages. */
  readonly instance: string
  readonly limits: HostLimits
  readonly proofs?: Readonly<Partial<Record<Ability, Proof>>>
  /** How long it may be away where the host makes it anew when its guest reboots, in ms. */
  readonly graceMs: number
  /**
   * Whose doing it is when another incarnation runs unexpectedly: `host` where a reboot of the guest leaves the incarnation as
   * it is. Absent where it cannot be told from outside.
   */
  readonly restarts?: 'host'
  /** True for a machine that was there before and is given back as it was found. */
  readonly lent: boolean
  /** What a person does to reach it, one line. */
  readonly keepHint: string

  /** Makes it, or finds it; nothing is started. What an earlier try left is removed first. */
  prepare(signal: AbortSignal): Promise<void>
  /** Writes down on the host how a lent machine was found, before anything of it is altered. */
  claim?(found: Found, signal: AbortSignal): Promise<void>
  /** Starts it from its clean state. */
  begin: Command
  /** Asked once it runs. */
  describe(signal: AbortSignal): Promise<Description>
  /** Looks at it. */
  observe(wants: { readonly devices: boolean }, signal: AbortSignal): Promise<Observation>
  /** Tells of changes, by looking again and again or by being told; what is returned ends it. */
  watch(tell: (hint: Hint) => void): () => void
  /** How it is reached now. Waits for an address for as long as the limit has. */
  access(limit: Limit, signal: AbortSignal): Promise<Access>

  /** Starts it from its disk as it is; one that is paused goes on. */
  start: Command
  /** Asks its guest to shut down. */
  requestShutdown: Command
  /** Ends it by force. */
  kill: Command

  /** Brings consoles and logs into the evidence folder: at the end, or before they are begun anew. */
  collect?(when: 'end' | 'before-start', signal: AbortSignal): Promise<void>
  /** The snapshots that a lent machine has. */
  listSnapshots?(signal: AbortSignal): Promise<readonly string[]>
  /** Deletes the snapshots that were made of a lent machine: ours, without those that were there. */
  dropSnapshots?(found: readonly string[], signal: AbortSignal): Promise<void>
  /** Removes all that was made for it, and sees that it is gone. A lent machine is only let go of. */
  remove(signal: AbortSignal): Promise<void>
  /** Marks it as left on purpose; `found` is how a lent machine was found. */
  keep?(found: Found | null, signal: AbortSignal): Promise<void>
}

/** A command that nothing but its own word shows. */
export function sent(): Sent<void> {
  return { value: undefined, shows: null }
}

/** A command that is shown by a later observation. */
export function showing(expectation: Expectation): Sent<void> {
  return { value: undefined, shows: expectation }
}
