import { apiVersion } from '../config/api-version.js'
import type { TestParameters } from '../config/parameters.js'
import type { Expect } from './expect.js'
import type { Guest } from './guest.js'
import type { Host } from './host.js'
import type { Peer } from './peer.js'

/** What the lab says of the pairing under test. */
export interface Environment {
  /** `guest@product-version/configuration`. */
  readonly id: string
  readonly guest: {
    readonly product: string
    readonly version: string
    /** `null` where the lab does not say. */
    readonly edition: string | null
    /** Who may have signed a Windows guest's drivers; `null` where the lab does not say. */
    readonly driverSigners: readonly string[] | null
    readonly arch: string
    readonly family: 'linux' | 'windows'
  }
  readonly hypervisor: { readonly product: string; readonly version: string }
  readonly configuration: Readonly<Record<string, string | number>>
}

/** Which test it is. */
export interface ThisTest<P extends TestParameters = TestParameters> {
  /** `suite/test`, and its parameters where it has any: `disk/blocks[size=1MiB]`. */
  readonly id: string
  /** The values that the manifest declares for this one of its tests; reading another name throws. */
  readonly parameters: P
}

/** What a test has to work with. `P` says which parameters its manifest declares. */
export interface TestContext<P extends TestParameters = TestParameters> {
  /** Its own identity, and the values of its parameters. */
  readonly test: ThisTest<P>
  readonly guest: Guest
  readonly host: Host
  /** The second guest, for tests whose manifest says `needs: { peer: … }`; for others every use of it throws. */
  readonly peer: Peer
  readonly expect: Expect
  readonly environment: Environment
  /** Aborts when the test has reached its limit or the run is stopped. */
  readonly signal: AbortSignal
  /** Records a number, in the unit that the manifest declares for this name. */
  measure(name: string, value: number): void
  /** Keeps bytes, or a text, as evidence of this test under a name, up to the limit `output`. */
  attach(name: string, content: string | Uint8Array): void
  /** Ends the test because it does not apply here. No check may have been made before. */
  skip(reason: string): never
}

/** The body of a test. It passes when it returns, made a check, and every check held. */
export type TestBody<P extends TestParameters = TestParameters> = (context: TestContext<P>) => Promise<void>

/** What a test module exports by default. */
export interface TestModule {
  readonly guestcert: 'test'
  /** The version of this interface that the module was written for. */
  readonly api: typeof apiVersion
  readonly body: TestBody
}

/**
 * Declares a test: `export default test(async ({ guest, expect }) => { … })`. One that has parameters may name their
 * types: `test<{ size: string }>(async ({ test }) => … test.parameters.size … )`.
 */
export function test<P extends TestParameters = TestParameters>(body: TestBody<P>): TestModule {
  return { guestcert: 'test', api: apiVersion, body: body as TestBody }
}

/** True for what {@link test} returns, in whatever copy of this package it was made. */
export function isTestModule(value: unknown): value is TestModule {
  if (typeof value !== 'object' || value === null) return false
  const { guestcert, api, body } = value as Partial<Record<keyof TestModule, unknown>>
  return guestcert === 'test' && api === apiVersion && typeof body === 'function'
}
