import type { Ability } from '../config/abilities.js'
import type { Duration } from './duration.js'

/** What a host may be able to do with the guest. A test names in its manifest what it needs. */
export type HostAbility = Ability

/** A disk that was added to the running guest. */
export interface AddedDisk {
  /** By which it is taken away again, and by which the guest knows it where `device` is absent. */
  readonly serial: string
  /** The guest's own name for a disk of a kind that has no serial: `xvdb` for one of Xen's. */
  readonly device?: string
}

/**
 * The host that the guest runs on, as far as a test may use it. Each action throws when the host lacks the ability:
 * with `needs: { host: […] }` in the manifest the test is left out on such a host instead. What ends the connection
 * to the guest (`shutdown`, `powerOff`, `reset`, `revert`, `migrate`) needs `guest.expectDisconnect`.
 */
export interface Host {
  readonly product: string
  readonly version: string
  readonly abilities: ReadonlySet<HostAbility>
  /** Stops the guest's virtual CPUs: for a time, or until {@link resume}. */
  pause(options?: { readonly for: Duration }): Promise<void>
  resume(): Promise<void>
  /** Asks the guest to shut down, as pressing its power button does, and waits until it has. Ability `stop`. */
  shutdown(): Promise<void>
  /** Ends the guest as a power failure does. Ability `stop`. */
  powerOff(): Promise<void>
  /** Starts the guest again after {@link shutdown} or {@link powerOff}. Ability `stop`. */
  powerOn(): Promise<void>
  /** Resets the virtual machine as its button would. */
  reset(): Promise<void>
  snapshot(name: string): Promise<void>
  /** Goes back to a snapshot. */
  revert(name: string): Promise<void>
  /** Forgets a snapshot. Ability `snapshot`. */
  deleteSnapshot(name: string): Promise<void>
  /** Adds an empty disk. Ability `attach-disk`. */
  attachDisk(sizeBytes: number): Promise<AddedDisk>
  /** Takes an added disk away, once the guest has let go of it. Ability `attach-disk`. */
  detachDisk(serial: string): Promise<void>
  /** Adds a network card; the guest knows it by its MAC address. Ability `attach-nic`. */
  attachNic(): Promise<{ readonly mac: string }>
  /** Takes an added network card away. Ability `attach-nic`. */
  detachNic(mac: string): Promise<void>
  /** Injects a non-maskable interrupt. */
  nmi(): Promise<void>
  /** Keeps a picture of the screen as evidence; resolves to its file's name. */
  screenshot(): Promise<string>
  /** Gives the running guest so many virtual CPUs, at most as many as it began with. Ability `set-vcpus`. */
  setVcpus(count: number): Promise<void>
  /** Leaves the running guest so much memory, in bytes, at most as much as it began with. Ability `set-memory`. */
  setMemory(bytes: number): Promise<void>
  /** Moves the running guest to its second host, or back; resolves to the id of the host that it is on then. */
  migrate(): Promise<string>
}
