import type { Allowance } from './abilities.js'
import type { DriverDescriptor } from './driver.js'
import type { Mistake, Place } from './errors.js'
import type { GivenHostLimits } from './host-limits.js'
import type { Limits } from './limits.js'

/** The family decides which tests and which shells fit. */
export type Family = 'linux' | 'windows'

/** What answers when a command is sent to the guest. */
export type Shell = 'posix' | 'powershell' | 'cmd'

/** A reference to a secret, never the secret itself. */
export type SecretReference =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }

/**
 * Where a private key comes from: `image` is the key that `lab build` made for the image; one key of the agent is
 * chosen by its fingerprint, its comment or its public key file.
 */
export type KeyReference =
  | SecretReference
  | { readonly kind: 'agent'; readonly which?: string }
  | { readonly kind: 'image' }

/**
 * How the other side proves who it is: a pinned fingerprint (`SHA256:…`), a `known_hosts` file,
 * the first key seen (written down in the file, and pinned from then on), or the key that `lab build` gave the image.
 */
export type HostKeyRule =
  | { readonly kind: 'pinned'; readonly fingerprint: string }
  | { readonly kind: 'known-hosts'; readonly path: string }
  | { readonly kind: 'accept-new'; readonly path?: string }
  | { readonly kind: 'image' }

/** Which SSH algorithms are offered; `legacy` adds the old ones for this machine alone. */
export type Algorithms = 'modern' | 'legacy'

/** How to become root for tests: `sudo`, with a password by reference if it asks for one. */
export interface Sudo {
  readonly password?: SecretReference
}

/** Who logs in and how. */
export interface Login {
  readonly user: string
  readonly key?: KeyReference
  readonly password?: SecretReference
  readonly passphrase?: SecretReference
  readonly algorithms: Algorithms
  readonly hostKey: HostKeyRule
  readonly sudo?: Sudo
}

/** A machine's place on the network, and the machines to jump through, nearest to the runner first. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly jumps: readonly string[]
}

/** What a host can bear. */
export interface Capacity {
  readonly guests: number
  readonly vcpus: number
  readonly memoryBytes: number
  readonly locks: readonly string[]
}

/** How a host is reached that is managed through an API over HTTPS. */
export interface ApiConnection {
  /** `https://HOST:PORT`. */
  readonly url: string
  readonly user: string
  readonly password: SecretReference
  /** The SHA-256 of the server's certificate, in lower-case hexadecimal digits. */
  readonly certificate: string
  /** The lowest version of TLS. */
  readonly tls: TlsVersion
  /** The host's name there, where one server manages several. */
  readonly host?: string
}

export type TlsVersion = '1.0' | '1.1' | '1.2' | '1.3'

export interface Host {
  readonly id: string
  readonly place: Place
  readonly product: string
  readonly version: string
  readonly driver: DriverDescriptor
  readonly connect?: { readonly endpoint: Endpoint; readonly login: Login }
  /** Absent where it is reached over SSH. */
  readonly api?: ApiConnection
  /** The persona that plays it. */
  readonly emulated?: string
  /** The image that `guestcert lab up` boots it from, on this machine; `key: image` is its key. */
  readonly image?: string
  /** Faults that the emulated host commits, by name with their settings. */
  readonly faults?: Readonly<Record<string, unknown>>
  readonly capacity: Capacity
  /** Its driver's limits, as far as the lab sets them. */
  readonly limits?: GivenHostLimits
  /** Keeps everybody else off it until then. */
  readonly reserved?: Reservation
}

/** Whose a host is for a while, and why. */
export interface Reservation {
  readonly by: string
  readonly untilMs: number
  readonly why: string
}

/** How the guest is given its virtual hardware. Values as the lab says them; sizes in bytes. */
export interface Configuration {
  /** The short name used in identities, e.g. `bios-virtio-blk-virtio-net-2vcpu-4GiB`. */
  readonly name: string
  /** Absent where the lab does not say: tests that need it are left out. */
  readonly vcpus?: number
  readonly memoryBytes?: number
  readonly firmware?: 'bios' | 'uefi'
  readonly generation?: 1 | 2
  readonly mode?: 'pv' | 'hvm' | 'pvh'
  readonly machine?: string
  readonly cpu?: string
  readonly disk?: string
  readonly nic?: string
  readonly tools?: string
}

/** The state that a guest is brought to before an environment uses it. */
export type CleanState =
  | { readonly kind: 'none' }
  | { readonly kind: 'snapshot'; readonly name: string }
  | { readonly kind: 'overlay'; readonly path: string }
  | { readonly kind: 'copy'; readonly path: string }

/** A guest on one host. */
export interface Placement {
  readonly host: string
  readonly place: Place
  /** The virtual machine's name on the host. */
  readonly vm?: string
  /** For guests that already run, or whose address is fixed. */
  readonly endpoint?: Endpoint
  /** An image made by `lab build`, by name; for `qemu` its disk, or a path; for `xl` the keys of the guest. */
  readonly image?: string
  readonly clean: CleanState
  readonly viaHost: boolean
  /** The host that it is moved to, running, by tests of live migration. Its room is taken on both. */
  readonly migratesTo?: string
  /** Locks of the host that the guest holds while it is there. */
  readonly locks?: readonly string[]
  readonly configuration: Configuration
}

export interface Guest {
  readonly id: string
  readonly place: Place
  readonly product: string
  readonly version: string
  readonly edition?: string
  readonly arch: string
  readonly family: Family
  readonly shell: Shell
  readonly login: Login
  readonly tags: readonly string[]
  /** Who may have signed a Windows guest's drivers; anyone where the lab does not say. */
  readonly driverSigners?: readonly string[]
  /** Whether tests may reboot it; `null` leaves it to whether the driver starts the guest. */
  readonly reboot: boolean | null
  /** What tests may do to it where the lab only lends it, by name; nothing if absent. */
  readonly allow?: readonly Allowance[]
  /** The persona that plays it. */
  readonly emulated?: string
  /** Faults that the emulated guest commits, by name with their settings. */
  readonly faults?: Readonly<Record<string, unknown>>
  readonly on: readonly Placement[]
}

/** One `lab.yaml`, checked. */
export interface Lab {
  readonly name: string
  /** Absolute path of the file. */
  readonly file: string
  readonly limits: Limits
  /** How often an environment is tried again, on a new instance, for trouble that is not the guest's. */
  readonly retries: number
  /** Failed health checks in a row after which a host is set aside for the rest of a run. */
  readonly hostFailures: number
  /** How many environments at once, over all hosts. */
  readonly parallel: number
  readonly hosts: ReadonlyMap<string, Host>
  readonly guests: ReadonlyMap<string, Guest>
  /** `builtin`, or paths relative to the lab file. */
  readonly suites: readonly string[]
  /** Folders of personas beside those of the lab's own and those that ship. */
  readonly personas?: readonly string[]
  /** What is allowed and probably not meant, with its place; said once by each command. */
  readonly warnings?: readonly Mistake[]
}
