import type { Bytes } from '../files/bytes.js'
import type { FileTree } from '../files/tree.js'
import type { Clock } from './clock.js'
import type { Hotplug } from './hotplug.js'
import type { KernelLog } from './kernel-log.js'
import type { Process, ProcessTable } from './process.js'
import type { ProgramTable } from './programs.js'
import type { Serial } from './serial.js'

/** A user of the guest, as in /etc/passwd. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** The name of the first group. */
  readonly group: string
  readonly home: string
  readonly shell: string
  /** Groups beside the first, by name and id. */
  readonly groups: readonly { readonly name: string; readonly gid: number }[]
}

/** What `uname` says. */
export interface Uname {
  readonly sysname: string
  readonly nodename: string
  readonly release: string
  readonly version: string
  readonly machine: string
  /** What `uname -p` and `-i` say. */
  readonly processor: string
  readonly platform: string
  /** What `uname -o` says. */
  readonly operatingSystem: string
}

/** What the guest has of processors and memory, as its kernel counts it. */
export interface Resources {
  /** Processors in use. */
  readonly vcpus: number
  /** Processors that are there, used or not. */
  readonly configuredVcpus: number
  /** MemTotal in bytes. */
  readonly memTotalBytes: number
}

/** What is asked of the power button. */
export type PowerAction = 'reboot' | 'off' | 'halt'

/** How the shell of this product behaves where shells differ. */
export type ShellFlavour = 'bash' | 'dash'

/** Output that a program has for exactly these arguments. */
export interface Answer {
  readonly stdout: Bytes
  readonly stderr: Bytes
  readonly exit: number
}

/** One boot of an emulated guest, as its programs see it. */
export interface System {
  readonly bootId: string
  readonly tree: FileTree
  readonly clock: Clock
  readonly processes: ProcessTable
  readonly log: KernelLog
  /** The programs that the emulator can carry out. */
  readonly programs: ProgramTable
  readonly uname: Uname
  readonly resources: Resources
  readonly hotplug: Hotplug
  readonly serial: Serial
  /** An interrupt that the kernel cannot look away from. */
  nmi(): void
  /** The kernel gives up. */
  panic(reason: string): void
  /** Says what is said last by a guest that goes down in order. */
  goesDown(action: PowerAction): void
  readonly flavour: ShellFlavour
  readonly accounts: readonly Account[]
  readonly flavourOfInit: 'sysv' | 'systemd'
  /** What the firmware calls the machine, by the names of /sys/class/dmi/id; undefined where there is no DMI. */
  readonly dmi: Readonly<Record<string, string>> | undefined
  /** What `systemd-detect-virt` prints. */
  readonly detectedVirtualization: string
  /** What `lscpu` calls the hypervisor, where its version can tell. */
  readonly hypervisorVendor: string | undefined
  /** True where only root may read the kernel log. */
  readonly logRestricted: boolean
  /** The facts of the persona that were used, by path, for the weakest provenance. */
  readonly used: Set<string>
  /** The persona's own answer for a command line, if it has one. */
  answer(program: string, args: readonly Bytes[]): Answer | undefined
  /** Reboots or switches off after a while. */
  power(action: PowerAction, delayMs: number): void
  /** Takes a planned reboot or power-off back; false when there was none. */
  cancelPower(): boolean
  /** Whether a user may use sudo: undefined when he may, `password` or a reason when not. */
  sudo(user: string, password: () => Promise<Bytes | undefined>): Promise<string | undefined>
  /** Whether a program, by its line, is to stand still forever. */
  stops(line: string): boolean
  /** Lets others run: called by programs and shells that may loop. */
  breathe(process: Process): Promise<void>
}
