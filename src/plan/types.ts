import type { Limits } from '../config/limits.js'
import type { Configuration, Family, Shell } from '../config/model.js'
import type { TestParameters } from '../config/parameters.js'

/** Whether a pairing needs the test for its certification. */
export type Level = 'required' | 'optional'

/**
 * How a script says what it found; `module` tests say it through the API, and `bring-up` is what the engine finds out
 * itself (see `boot.ts`).
 */
export type Protocol = 'tap' | 'ktap' | 'exit' | 'module' | 'bring-up'

/** What the exit codes of a test with protocol `exit` mean, beside 0. */
export interface ExitCodes {
  readonly skip: readonly number[]
  readonly error: readonly number[]
}

/** What a test does to the guest that it runs in. */
export type Isolation = 'shared' | 'alters-guest' | 'own-instance'

/** One test, as it will be carried out in one environment. */
export interface PlannedTest {
  /** `suite/test`, and its parameters where it has any: the identity across runs. */
  readonly id: string
  readonly suite: string
  readonly suiteVersion: string
  readonly suiteDigest: string
  readonly title: string
  readonly level: Level
  readonly requirements: readonly string[]
  readonly protocol: Protocol
  /** Absent where the manifest declares none. */
  readonly parameters?: TestParameters
  /** Absent where the manifest declares none. */
  readonly codes?: ExitCodes
  /** The script's or module's path inside its suite, with `/`. */
  readonly file: string
  /** Where the suite's manifest stands, relative to the lab or the package: for reports. */
  readonly manifest: string
  /** The line of the test in its manifest, from 1. */
  readonly line: number
  readonly limitMs: number
  readonly isolation: Isolation
  /** True when it disturbs nothing and is disturbed by nothing: it may run beside others of its environment that say so. */
  readonly parallel?: true
  /**
   * Where it was ever seen to pass on this family of guests: on a real system, on emulated ones alone, or nowhere.
   * Absent from plans of older versions.
   */
  readonly provenOn?: 'real' | 'emulated' | 'nothing'
  /** Tests of the same environment that must pass first; else this one is `blocked`. */
  readonly after: readonly string[]
  /** Locks of the host that its environment must hold for it. */
  readonly locks?: readonly string[]
  /** True when the guest is moved to its second host: its environment needs room there, too. */
  readonly migrates?: true
  /** True when it needs the peer of its environment. */
  readonly peer?: true
}

/** The guest, configuration and hypervisor of an environment, whatever is tested in it. */
export type PlannedPairing = Pick<
  PlannedEnvironment,
  'id' | 'guest' | 'hypervisor' | 'configuration' | 'emulated'
>

/**
 * Why a test is not planned: it is not for such a guest, hypervisor or configuration; the choice passes over it; or it
 * would apply, and host, driver or lab lack something for it.
 */
export type LeftOutKind = 'not-applicable' | 'not-chosen' | 'unable'

/** Why a test is not planned. */
export interface LeftOutReason {
  readonly why: string
  /** Absent from plans of older versions. */
  readonly kind?: LeftOutKind
}

/** A test that does not apply, or that may not run there, and why. */
export interface LeftOut extends LeftOutReason {
  readonly test: string
  /** Absent from plans of older versions. */
  readonly level?: Level
}

/** A planned pairing: it knows no host's address. */
export interface PlannedEnvironment {
  /** `guest@product-version/configuration`. */
  readonly id: string
  readonly guest: {
    readonly id: string
    readonly product: string
    readonly version: string
    readonly edition: string | null
    /** Who may have signed its drivers; anyone where the lab does not say. */
    readonly driverSigners?: readonly string[]
    readonly arch: string
    readonly family: Family
    readonly shell: Shell
  }
  readonly hypervisor: { readonly product: string; readonly version: string }
  readonly configuration: Configuration
  /** True when guest, host or peer is emulated: certifies nothing. */
  readonly emulated: boolean
  /** The second guest of its client and server tests, on the same host; absent where no test needs one. */
  readonly peer?: PlannedPairing
  /** The lab's hosts that can serve it. */
  readonly hosts: readonly string[]
  /** The bring-up first, then the tests of the suites. */
  readonly tests: readonly PlannedTest[]
  readonly leftOut: readonly LeftOut[]
}

/** Which part of which plan this is. */
export interface Shard {
  /** From 1. */
  readonly index: number
  readonly of: number
  /** The digest of the whole plan. */
  readonly whole: string
  /** Where each of its environments stands in the whole plan, from 0. */
  readonly positions: readonly number[]
  /** SHA-256 of the file of durations that it was split by; absent where there was none. */
  readonly durations?: string
}

/** What a run will do: every environment and every test, in order. Pure data. */
export interface Plan {
  readonly lab: string
  /** SHA-256 over all that makes results comparable; addresses, ports and secrets are left out. */
  readonly digest: string
  /** How many results the run must have: the tests, and one bring-up an environment. */
  readonly expected: number
  readonly limits: Limits
  readonly environments: readonly PlannedEnvironment[]
  /** Absent for a plan that is not split. */
  readonly shard?: Shard
  /** Environments that no host is left for, as others have reserved them all. Absent when there is none. */
  readonly reserved?: readonly ReservedEnvironment[]
}

/** An environment that is left out for a reservation's sake. */
export interface ReservedEnvironment {
  readonly id: string
  readonly why: string
}
