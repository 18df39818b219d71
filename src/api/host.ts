import type { Duration } from './duration.js'

/** What a host may be able to do with the guest. A test names in its manifest what it needs. */
export type HostAbility = 'console' | 'pause' | 'reset' | 'revert' | 'snapshot' | 'stop'

/**
 * The host that the guest runs on, as far as a test may use it. Each action throws when the host lacks the ability:
 * with `needs: { host: […] }` in the manifest the test is left out on such a host instead.
 */
export interface Host {
  readonly product: string
  readonly version: string
  readonly abilities: ReadonlySet<HostAbility>
  /** Stops the guest's virtual CPUs: for a time, or until {@link resume}. */
  pause(options?: { readonly for: Duration }): Promise<void>
  resume(): Promise<void>
  /** Resets the virtual machine as its button would; needs `guest.expectDisconnect`. */
  reset(): Promise<void>
  snapshot(name: string): Promise<void>
  /** Goes back to a snapshot; needs `guest.expectDisconnect`. */
  revert(name: string): Promise<void>
}
