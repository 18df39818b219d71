import type { Family } from '../config/model.js'
import type { TestParameters } from '../config/parameters.js'
import type { AppliesFile, HostNeed } from '../config/suite-schema.js'
import type { ExitCodes, Isolation, Level, Protocol } from './types.js'

/** One file of a suite, with the digest of its content. */
export interface SuiteFileEntry {
  /** Relative to the suite's folder, with `/`. */
  readonly path: string
  readonly sha256: string
  readonly executable: boolean
  /** The words of its `#!` line; empty for anything else. */
  readonly interpreter: readonly string[]
}

/** Personas on which a test is shown to pass, and mutants on which it must fail. */
export interface Proof {
  readonly passesOn: readonly string[]
  /** On these a check of the test itself must fail. */
  readonly mutants: readonly string[]
  /** On these the guest cannot be brought up, so that nothing is said about the test. */
  readonly breakBoot: readonly string[]
  /** Real systems on which it was seen to pass, by family of guests. */
  readonly real: Readonly<Partial<Record<Family, readonly string[]>>>
}

/** One test as its manifest declares it. */
export interface SuiteTest {
  /** `suite/test`, and its parameters where it has any: `disk/blocks[size=1MiB]`. */
  readonly id: string
  readonly title: string
  readonly why: string | null
  readonly requirements: readonly string[]
  readonly level: Level
  readonly protocol: Exclude<Protocol, 'bring-up'>
  /** Absent where the manifest declares none. */
  readonly codes?: ExitCodes
  readonly file: string
  readonly line: number
  /** The values of this one of its tests; absent where the manifest declares no parameters. */
  readonly parameters?: TestParameters
  readonly applies: AppliesFile | null
  readonly limitMs: number | null
  readonly isolation: Isolation
  /** True when it may run beside others that say so, too. */
  readonly parallel?: true
  /** Full ids of the tests that must pass first. */
  readonly after: readonly string[]
  readonly tags: readonly string[]
  readonly needs: {
    readonly host: readonly HostNeed[]
    readonly guest: readonly 'reboot'[]
    readonly configuration: readonly string[]
    /** Locks of the host; its environment holds them for as long as it is there. */
    readonly locks: readonly string[]
    /** Which guest it needs beside its own; absent where it needs none. */
    readonly peer?: Pick<AppliesFile, 'guest'>
  }
  readonly measures: Readonly<Record<string, string>>
  readonly proof: Proof | null
}

/** What is executed for a module: known, and covered by the suite's digest, when a run is planned. */
export type ModuleCode =
  /** JavaScript of this package, as the build made it. Absolute. */
  | { readonly kind: 'file'; readonly path: string }
  /** A lab's own, compiled at planning: JavaScript by the file that it was made from. */
  | {
      readonly kind: 'sources'
      readonly folder: string
      readonly entry: string
      readonly sources: Readonly<Record<string, string>>
    }

/** A versioned folder of tests. */
export interface Suite {
  readonly id: string
  readonly version: string
  readonly title: string
  /** Absolute. */
  readonly folder: string
  /** The manifest's path as people know it: relative to the package or to the lab file. */
  readonly manifest: string
  /** SHA-256 over all files, and over what is executed in their place. */
  readonly digest: string
  readonly applies: AppliesFile | null
  readonly files: readonly SuiteFileEntry[]
  /** What is executed for each module that its tests name, by the module's path. */
  readonly modules: ReadonlyMap<string, ModuleCode>
  readonly tests: readonly SuiteTest[]
}
