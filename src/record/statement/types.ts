import type { Cause } from '../../config/errors.js'
import type { Measure, Verdict } from '../../journal/events.js'
import type { LeftOutKind, Level } from '../../plan/types.js'

/** The type of an in-toto Statement v1. */
export const statementType = 'https://in-toto.io/Statement/v1'

/** The predicates of our own. The names are addresses that nobody has to reach. */
export const predicates = {
  run: 'https://guestcert.example/record/run/v1',
  testResult: 'https://in-toto.io/attestation/test-result/v0.1',
  decision: 'https://slsa.dev/verification_summary/v1',
  registration: 'https://guestcert.example/record/registration/v1',
  certificate: 'https://guestcert.example/record/certificate/v1',
  countersignature: 'https://guestcert.example/record/countersignature/v1',
  rejection: 'https://guestcert.example/record/rejection/v1',
  revocation: 'https://guestcert.example/record/revocation/v1',
  challenge: 'https://guestcert.example/record/challenge/v1',
  answer: 'https://guestcert.example/record/answer/v1',
  manual: 'https://guestcert.example/record/manual/v1',
  waiver: 'https://guestcert.example/record/waiver/v1',
  policy: 'https://guestcert.example/record/policy/v1',
  trust: 'https://guestcert.example/record/trust/v1',
} as const

/** What something is said of: a name, and the digest of what it names. */
export interface Subject {
  readonly name: string
  readonly digest: { readonly sha256: string }
}

/** An in-toto Statement v1. */
export interface InTotoStatement<Predicate = unknown> {
  readonly _type: typeof statementType
  readonly subject: readonly Subject[]
  readonly predicateType: string
  readonly predicate: Predicate
}

/** A product and its version. */
export interface Product {
  readonly product: string
  readonly version: string
}

/** What is certified: nothing in it is a name that a lab gave. */
export interface Pairing {
  readonly guest: Product & { readonly edition: string | null; readonly arch: string }
  readonly hypervisor: Product
  /** Virtual hardware by name: `vcpus`, `memoryBytes`, `firmware`, `disk`, `nic`, `machine`, `accelerator`, … */
  readonly configuration: Readonly<Record<string, string | number>>
}

/** One try of a test. */
export interface RecordedAttempt {
  readonly verdict: Verdict
  readonly cause: Cause | null
  readonly durationMs: number
  readonly checks: {
    readonly ok: number
    readonly notOk: number
    readonly todo: number
    readonly skip: number
  }
}

/** One planned test and what became of it. Free text of guests and hosts is left to the evidence. */
export interface RecordedTest {
  readonly id: string
  readonly suite: string
  readonly suiteVersion: string
  readonly suiteDigest: string
  readonly requirements: readonly string[]
  readonly level: Level
  readonly provenOn: string | null
  readonly verdict: Verdict
  readonly cause: Cause | null
  readonly flaky: boolean
  readonly attempts: readonly RecordedAttempt[]
  readonly measures: Readonly<Record<string, Measure>>
  readonly evidence: readonly { readonly sha256: string; readonly bytes: number }[]
}

/** A run's evidence about one pairing: a function of its journal and its plan alone. */
export interface RunPredicate {
  readonly run: string
  /** The leaf hash of its registration; `null` for a run that nobody registered. */
  readonly registration: string | null
  readonly planDigest: string
  readonly planExpected: number
  readonly harness: { readonly name: string; readonly digest: string | null }
  readonly openedAt: string
  readonly closedAt: string | null
  readonly interrupted: boolean
  readonly sessions: number
  /** Where journal and plan contradict each other. */
  readonly problems: number
  readonly emulated: boolean
  /** Of a run that another tool reported: its name; `null` for our own. */
  readonly importedFrom: string | null
  readonly pairing: Pairing
  readonly observed: {
    /** Whether guest and hypervisor themselves showed the products and versions above. */
    readonly guest: boolean
    readonly hypervisor: boolean
    /** The parts of the configuration that were seen, and not only declared. */
    readonly configuration: readonly string[]
    /** Where what was seen is not what was declared, in words. */
    readonly contradictions: readonly string[]
    /** Facts that differed between the machines used. */
    readonly varying: readonly string[]
    readonly guestFacts: Readonly<Record<string, string>>
    readonly hostFacts: Readonly<Record<string, string>>
  }
  readonly tests: readonly RecordedTest[]
  readonly leftOut: readonly {
    readonly test: string
    readonly level: Level | null
    readonly kind: LeftOutKind
  }[]
  readonly evidence: readonly { readonly sha256: string; readonly bytes: number }[]
  /** SHA-256 of the JUnit report of the strict profile, without attachments. */
  readonly junit: string | null
}

/** The evidence of a run about one pairing. */
export type RunStatement = InTotoStatement<RunPredicate>
