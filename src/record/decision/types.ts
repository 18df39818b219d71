import type { Waiver } from '../../waivers/schema.js'
import type { Policy, PolicyPairing } from '../policy/schema.js'
import type { RunPredicate } from '../statement/types.js'

/** Who signed something, as a trust file knows its key. */
export interface Signer {
  readonly party: string
  readonly roles: readonly string[]
}

/** A run's registration as the log has it. */
export interface Registration {
  readonly leaf: string
  /** UTC, as it was registered. */
  readonly at: string
  readonly planDigest: string
  readonly harnessDigest: string
  /** Who registered it. */
  readonly party: string
  /** Other parties that cosigned a head of the log that holds it, before the run was added. */
  readonly cosigners: readonly string[]
}

/** How a registered run of a pairing ended. `open` was never added: what became of it is not known. */
export type RowItem = 'passed' | 'failed' | 'open'

/** One run that a decision is about. */
export interface Case {
  /** The digest of the statement's object. */
  readonly object: string
  readonly run: RunPredicate
  readonly signers: readonly Signer[]
  /** The registration that the run names; `null` when the log has none of that leaf hash. */
  readonly registration: Registration | null
  /** Registered runs of the pairing, the oldest first, up to this one. */
  readonly row: readonly RowItem[]
  /** Parties other than the submitter that reproduced a sample chosen after submission, or ran it themselves. */
  readonly reproducedBy: readonly string[]
  /** True when it was rejected by a reviewer, or revoked. */
  readonly rejected: string | null
  /** Manual answers that cite it: ids that were answered with yes, by whom. */
  readonly manual: ReadonlyMap<string, string>
}

/** Digests of the program and the suites that count. */
export interface Kit {
  readonly harness: readonly string[]
  readonly suites: Readonly<Record<string, readonly string[]>>
}

/** All that a decision depends on. */
export interface DecisionInput {
  readonly cases: readonly Case[]
  readonly policy: Policy
  readonly pairing: PolicyPairing
  readonly kit: Kit
  /** Those that the policy's owner signed. */
  readonly waivers: readonly Waiver[]
  readonly nowMs: number
}

/** What stands against a certificate, one fact each. `code` is stable for programs. */
export interface Reason {
  readonly code: string
  readonly test?: string
  readonly text: string
}

/** What a policy says of the runs. */
export interface Decision {
  readonly certifies: boolean
  /** `self-attested` where nobody else has reproduced it. */
  readonly level: 'certified' | 'self-attested' | null
  readonly reasons: readonly Reason[]
  /** What changes nothing and must be known. */
  readonly notes: readonly Reason[]
  readonly waived: readonly { readonly test: string; readonly waiver: string; readonly expires: string }[]
  /** UTC; `null` when nothing is certified. */
  readonly validUntil: string | null
}
