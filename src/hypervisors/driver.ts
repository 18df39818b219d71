import type { Ability } from '../config/abilities.js'
import type { InfraError } from '../config/errors.js'
import type { Limits } from '../config/limits.js'
import type { Endpoint, Guest, Host, Placement } from '../config/model.js'
import type { HostShell, Machine } from '../remote/index.js'

export type { Ability } from '../config/abilities.js'

/** What the engine asks for: one instance of a guest. */
export interface GuestRequest {
  /** The instance's name on the host, made from the run's id, so that orphans can be found. */
  readonly instance: string
  readonly guest: Guest
  readonly placement: Placement
  /** An absolute folder, already there, for what the driver leaves: consoles, logs. */
  readonly evidenceFolder: string
  readonly limits: Limits
  /** True when the guest may be kept for a person, and so must not end with the runner. */
  readonly outlives?: boolean
}

/** How to reach a running guest, where the lab alone does not say it. */
export interface Access {
  readonly endpoint: Endpoint
  /** Where else it may be, the likelier first. */
  readonly others?: readonly Endpoint[]
  /** True when the addresses were looked up, and may be others when they are asked for again. */
  readonly mayMove?: boolean
  /** A private key's path, for guests whose login says `key: image`. */
  readonly keyPath?: string
  /** `SHA256:…`, for guests whose login says `hostKey: image`. */
  readonly hostKey?: string
  /** The machine inside whose connection the guest is reached: its host, for `via: host`. */
  readonly via?: Machine
}

/** How to reach a guest that somebody else runs, and a signal that aborts when he does no more. */
export interface FoundAccess extends Access {
  readonly gone?: AbortSignal
}

/** A running guest's serial console, as far as it says that the guest broke. */
export interface GuestConsole {
  /**
   * Calls for every panic, oops or stop that is seen on it, with whose line it was (`guest`, `lost`); at once
   * when one was seen before. What is returned ends it.
   */
  onCrash(listener: (error: InfraError) => void): () => void
  /** Reads now what has been written since: what was said before this call is known when it resolves. */
  look(signal: AbortSignal): Promise<void>
}

/**
 * What happened to a running guest though nobody asked for it, and that did not end it: its cluster moved it, or it was
 * ended and started again, with whose doing that was.
 */
export type UnexpectedEvent =
  | { readonly type: 'moved'; readonly from: string; readonly to: string }
  | { readonly type: 'restarted'; readonly cause: 'guest' | 'host' | 'unknown'; readonly why: string }

/** A disk that was added to a running guest. */
export interface AddedDisk {
  /** By which it is taken away again, and by which the guest knows it where `device` is absent. */
  readonly serial: string
  /** The guest's own name for a disk of a kind that has no serial: `xvdb` for one of Xen's. */
  readonly device?: string
}

/** What the host does to a guest that may stop it for as long as it lasts: the guest is silent then, and not lost. */
export const holdingActions = [
  'snapshot',
  'revert',
  'deleteSnapshot',
  'migrate',
  'pause',
  'resume',
] as const satisfies readonly (keyof RunningGuest)[]

/** A guest that runs. Every call may be repeated; each throws InfraError naming host, command and output. */
export interface RunningGuest {
  /** How to reach it, as soon as that is known: all that is known now, so ask again while it does not answer. */
  access(signal: AbortSignal): Promise<Access>
  /** Aborts, with an InfraError as its reason, when the virtual machine is gone unexpectedly. */
  readonly gone: AbortSignal
  /** What was observed of it: accelerator, machine type, versions. Journalled as facts. */
  readonly facts: Readonly<Record<string, string>>
  /** Absent where there is no console to read, or no way to read it while the guest runs. */
  readonly console?: GuestConsole
  /** Calls for all that happens to it unexpectedly, at once for what has happened before. What is returned ends it. */
  onUnexpected?(listener: (what: UnexpectedEvent) => void): () => void
  /** Looks at it now: what happened to it before this call is told when it resolves. */
  look?(signal: AbortSignal): Promise<void>
  pause?(signal: AbortSignal): Promise<void>
  resume?(signal: AbortSignal): Promise<void>
  /** Asks it to shut down and waits until it has; its fault when it has not in time. It is not gone by that. */
  shutdown?(signal: AbortSignal): Promise<void>
  /** Ends it as a power failure does. It is not gone by that. */
  powerOff?(signal: AbortSignal): Promise<void>
  /** Starts it again, from its disk as it is, after it was shut down or powered off. */
  powerOn?(signal: AbortSignal): Promise<void>
  reset?(signal: AbortSignal): Promise<void>
  snapshot?(name: string, signal: AbortSignal): Promise<void>
  revert?(name: string, signal: AbortSignal): Promise<void>
  deleteSnapshot?(name: string, signal: AbortSignal): Promise<void>
  /** Takes a picture of the screen; resolves to its file's name in the evidence folder. */
  screenshot?(signal: AbortSignal): Promise<string>
  /** Injects a non-maskable interrupt. */
  nmi?(signal: AbortSignal): Promise<void>
  /** Adds an empty disk while the guest runs. */
  attachDisk?(sizeBytes: number, signal: AbortSignal): Promise<AddedDisk>
  /** Takes an added disk away; resolves when the guest has let go of it. */
  detachDisk?(serial: string, signal: AbortSignal): Promise<void>
  /** Adds a network card like the guest's first one; the guest knows it by its MAC address. */
  attachNic?(signal: AbortSignal): Promise<{ readonly mac: string }>
  detachNic?(mac: string, signal: AbortSignal): Promise<void>
  /** Gives it so many virtual CPUs while it runs: from one to as many as its configuration has. */
  setVcpus?(count: number, signal: AbortSignal): Promise<void>
  /** Leaves it so much memory while it runs, at most that of its configuration. */
  setMemory?(bytes: number, signal: AbortSignal): Promise<void>
  /** Moves it, running, to its second host, and from there back; resolves to the host that it is on then. */
  migrate?(signal: AbortSignal): Promise<{ readonly host: string }>
  /** Ends it: asks first where the driver can ask, then by force. */
  stop(signal: AbortSignal): Promise<void>
}

/**
 * One instance, from before it is made until it is gone. Every call may be repeated, and is called whatever happened to
 * those before it.
 */
export interface Instance {
  /** Clones, or reverts to the clean state; nothing runs yet. Resolves to the instance itself. */
  prepare(signal: AbortSignal): Promise<Instance>
  start(signal: AbortSignal): Promise<RunningGuest>
  /**
   * Removes all that was made for it, also while `prepare` or `start` is still under way or after they failed. Throws
   * when something is left.
   */
  remove(signal: AbortSignal): Promise<void>
  /** Marks it, where it is, as left on purpose: it stays when what was forgotten is cleaned. */
  keep?(signal: AbortSignal): Promise<void>
  /** What a person does to reach the instance after `--keep failed`, one line. */
  readonly keepHint: string
}

/** An instance on a host: of a run that goes on, or of one that is dead. */
export interface Leftover {
  readonly name: string
  /** `null` when nothing says whose it was. */
  readonly run: string | null
  /** What it is and who made it, for people. */
  readonly what: string
  /** True for a machine that is not the instance's alone: to undo it needs the host's lease. */
  readonly shared: boolean
  /** True when it was left running on purpose, for somebody to look at. */
  readonly kept: boolean
}

/** What was seen when something was looked at. */
export interface Seen {
  /** `not-checked` when it could not be carried out, though nothing is known to be wrong. */
  readonly state: 'ok' | 'missing' | 'not-checked'
  readonly seen: string
}

/** One thing that is looked at before a pass, and changes nothing. */
export interface Check {
  /** Short, such as `tools`; one of its kind for a host or a guest. */
  readonly name: string
  /** The placement that it is about; absent for the host itself. */
  readonly placement?: Placement
  /** What must be there, in words. */
  readonly asked: string
  /** Checks of the same guest, else of its host, without which this one says nothing. */
  readonly after: readonly string[]
  /** An error counts as missing, in its own words. */
  carryOut(signal: AbortSignal): Promise<Seen>
}

/** What a driver is asked to look at before a pass. */
export interface CheckRequest {
  readonly host: Host
  /** What is placed on the host. */
  readonly guests: readonly { readonly guest: Guest; readonly placement: Placement }[]
  /** Bytes that must be free where instances are made. */
  readonly freeBytes: number
}

/** The code that speaks to one kind of hypervisor. */
export interface Driver {
  readonly name: string
  /** What it can do with a guest placed so; `migrate` where the placement names a second host. */
  abilities(placement: Placement): ReadonlySet<Ability>
  /** Facts of the host: product, version, CPU, … */
  facts(signal: AbortSignal): Promise<Readonly<Record<string, string>>>
  /** A handle for an instance that is yet to be made; nothing is done. */
  instance(request: GuestRequest): Instance
  /**
   * A shell on the host itself, opened anew when the last one is lost: there its lease is kept. Absent where there is
   * no host that could be asked: then the guest's machine has a lease of its own.
   */
  shell?(signal: AbortSignal): Promise<HostShell>
  /** How a guest that somebody else runs is reached; undefined when it is not known, or not running. */
  reach?(request: Pick<GuestRequest, 'guest' | 'placement'>): FoundAccess | undefined
  /**
   * How an instance that was kept is reached, by what the driver itself wrote down or the host knows. Absent where only
   * the lab says it.
   */
  keptAccess?(
    request: Pick<GuestRequest, 'instance' | 'guest' | 'placement'>,
    signal: AbortSignal,
  ): Promise<Access>
  /** The instances that are there, without those whose runner is known to live. */
  leftovers?(signal: AbortSignal): Promise<Leftover[]>
  /**
   * What of an instance is on the host, whether its runner lives or not; nothing when it is gone. Absent where
   * `leftovers` has the instances of runners that live, too.
   */
  remains?(name: string, signal: AbortSignal): Promise<readonly string[]>
  /** Ends an instance and removes what was made for it; again, if need be. */
  clean?(name: string, signal: AbortSignal): Promise<void>
  /** The host over SSH, where the driver logs in to it. */
  machine?(signal: AbortSignal): Promise<Machine>
  /** What must be well on the host before a pass; `login` is a check of whoever connects to it. */
  checks?(request: CheckRequest): readonly Check[]
  close(): Promise<void>
}
