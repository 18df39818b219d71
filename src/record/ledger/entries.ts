import type { Plan } from '../../plan/types.js'
import {
  type InTotoStatement,
  type Product,
  predicates,
  type Subject,
  statementType,
} from '../statement/types.js'

/** A pairing as a plan declares it. */
export interface DeclaredPairing {
  readonly guest: Product & { readonly arch: string }
  readonly hypervisor: Product
}

/** That a run will be begun: known before it is. */
export interface RegistrationPredicate {
  readonly at: string
  readonly nonce: string
  readonly planDigest: string
  readonly planExpected: number
  readonly harnessDigest: string
  readonly pairings: readonly DeclaredPairing[]
}

/** A decision by SLSA's Verification Summary v1, with what it leaves open beside it. */
export interface DecisionPredicate {
  readonly verifier: { readonly id: string; readonly version: { readonly guestcert: string } }
  readonly timeVerified: string
  readonly resourceUri: string
  readonly policy: { readonly uri: string; readonly digest: { readonly sha256: string } }
  readonly inputAttestations: readonly {
    readonly uri: string
    readonly digest: { readonly sha256: string }
  }[]
  readonly verificationResult: 'PASSED' | 'FAILED'
  readonly verifiedLevels: readonly string[]
  readonly guestcert: {
    readonly pairing: string
    readonly level: 'certified' | 'self-attested' | null
    readonly validUntil: string | null
    readonly reasons: readonly { readonly code: string; readonly text: string }[]
    readonly waived: readonly { readonly test: string; readonly waiver: string; readonly expires: string }[]
  }
}

/** A certificate: what is certified, until when, on which decisions it rests, and whom to call. */
export interface CertificatePredicate {
  readonly at: string
  readonly number: string
  readonly pairing: string
  readonly title: string
  readonly level: 'certified' | 'self-attested'
  readonly validUntil: string
  readonly policy: { readonly name: string; readonly version: string; readonly digest: string }
  readonly carry: 'none' | 'minor'
  readonly decisions: readonly string[]
  readonly runs: readonly string[]
  readonly support: { readonly first: string; readonly second: string }
}

/** A reviewer's wish to see tests again that the submitter could not know: chosen after submission. */
export interface ChallengePredicate {
  readonly at: string
  readonly tests: readonly string[]
  readonly nonce: string
}

/** Something said about an entry, with the reason. */
export interface RemarkPredicate {
  readonly at: string
  readonly why: string
}

/** An engineer's answer to a manual test. */
export interface ManualPredicate {
  readonly at: string
  readonly id: string
  readonly answer: 'yes' | 'no'
  readonly by: string
  readonly note: string
}

/** A statement of one of the kinds that records hold beside runs. */
export function statementAbout<P>(
  kind: keyof typeof predicates,
  subject: readonly Subject[],
  predicate: P,
): InTotoStatement<P> {
  return { _type: statementType, subject, predicateType: predicates[kind], predicate }
}

/** An entry as the subject of a statement. */
export function entrySubject(leaf: string): Subject {
  return { name: 'record-entry', digest: { sha256: leaf } }
}

/** The pairings that a plan is about, each once. */
export function pairingsOf({ environments }: Plan): readonly DeclaredPairing[] {
  const all = environments.map(
    ({ guest, hypervisor }): DeclaredPairing => ({
      guest: { product: guest.product, version: guest.version, arch: guest.arch },
      hypervisor: { product: hypervisor.product, version: hypervisor.version },
    }),
  )
  return [...new Map(all.map(one => [JSON.stringify(one), one])).values()]
}
