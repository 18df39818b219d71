import type { HostNames, PlacementFile } from './lab-schema.js'
import type { CleanState } from './model.js'
import { type HypervisorProduct, hypervisorProducts } from './products.js'

/** A placement as the lab file has it, and whether its guest is emulated. */
export interface WrittenPlacement extends PlacementFile {
  readonly emulated: boolean
  /** The folder of the lab file, at which relative paths begin. */
  readonly folder: string
}

/**
 * What the lab file, the plan and the engine must know of a driver. Nothing outside a driver's own folder compares
 * driver names: it asks the descriptor. The code that speaks to the hypervisor is added by `DriverModule`.
 */
export interface DriverDescriptor {
  /** As the lab file has it: lower-case letters, digits and dashes. */
  readonly name: string
  /** One line for people. */
  readonly title: string
  /** False where guests already run, and nothing starts or stops them. */
  readonly startsGuests: boolean
  /** Whether a host needs `connect` in the lab file. */
  readonly needsConnect: boolean
  /** Present where `connect` names the server of an API (`api:`), and not an SSH login. */
  readonly connectsBy?: 'api'
  /** Whether a running guest can be moved between two hosts of the lab. */
  readonly migrates: boolean
  /**
   * Whether every instance is a machine of its own, whatever its clean state is. Elsewhere only overlays and copies
   * are: a VM that is used as it is belongs to whoever holds the host's lease.
   */
  readonly ownMachines: boolean
  /**
   * Whether guests on one host reach each other at the addresses by which they are reached: tests of two guests are
   * planned only where they do. Absent where they do not, or where it is not known.
   */
  readonly guestsMeet?: true
  /** The clean states that a placement may name. */
  readonly cleanStates: readonly CleanState['kind'][]
  /**
   * True where an overlay or a copy is of something that the host knows by a name, such as a snapshot. Elsewhere it is of a
   * file, and a relative path begins at the lab file.
   */
  readonly namesCleanStates?: true
  /** The program on the host that `guestcert capture --host` queries; absent where hosts cannot be captured. */
  readonly hostTool?: 'virsh' | 'xl'
  /** Hypervisor products that this driver adds to the known ones. */
  readonly products?: readonly HypervisorProduct[]
  /** Loads the code behind the descriptor, which a lab that names the driver needs; absent where it is loaded already. */
  readonly load?: () => Promise<void>
  /** Why a host of this product cannot be driven: one message per mistake. Absent where any can. */
  hostMistakes?(host: { readonly product: string; readonly version: string }): readonly string[]
  /** What is wrong with a placement beyond the schema: one message per mistake. */
  placementMistakes(placement: WrittenPlacement): readonly string[]
}

/** The drivers that a lab may use, by name. */
export type DriverCatalog = ReadonlyMap<string, DriverDescriptor>

/** Where drivers come from. */
export interface DriverSource {
  readonly builtin: readonly DriverDescriptor[]
  /** Loads the driver in a file that the lab names. Throws Error, with the reason, if there is none. */
  load(file: string): Promise<DriverDescriptor>
}

/** The names that hosts of a lab with these drivers may use. */
export function hostNames(drivers: readonly DriverDescriptor[]): HostNames {
  const added = drivers.flatMap(({ products }) => products ?? [])
  return {
    drivers: drivers.map(({ name }) => name),
    products: [...hypervisorProducts, ...added].map(({ id }) => id),
  }
}
