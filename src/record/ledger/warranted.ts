import { digestOf } from '../canonical.js'
import { type PolicyPairing, policySchema } from '../policy/schema.js'
import type { CertificatePredicate, DecisionPredicate } from './entries.js'
import type { Record } from './read.js'
import type { Known, RecordView } from './view.js'

/**
 * Whether a certificate rests on what its policy asks for: each party that the policy names has decided so about the same
 * runs, for as long, and at no lower level. What a certificate says of itself counts for nothing.
 */
export function isWarranted(
  certificate: Known<CertificatePredicate>,
  view: RecordView,
  record: Pick<Record, 'entries'>,
): boolean {
  const { entry, predicate } = certificate
  const pairing = certifiedPairing(predicate, record)
  const decisions = view.decisions.filter(
    one =>
      predicate.decisions.includes(one.entry.leaf) &&
      one.entry.index < entry.index &&
      supports(one, predicate),
  )
  return (
    pairing !== undefined &&
    entry.signers.length > 0 &&
    pairing.signatures.every(({ party, role }) =>
      decisions.some(one =>
        one.entry.signers.some(signer => signer.party === party && signer.roles.includes(role)),
      ),
    )
  )
}

/** The pairing of a certificate, in the policy that the record holds by the digest which the certificate names. */
export function certifiedPairing(
  { policy: { digest }, pairing }: CertificatePredicate,
  { entries }: Pick<Record, 'entries'>,
): PolicyPairing | undefined {
  for (const { kind, statement } of entries) {
    const parsed =
      kind === 'policy' ? policySchema.safeParse((statement.predicate as { policy?: unknown }).policy) : null
    if (parsed?.success === true && digestOf(parsed.data) === digest) {
      return parsed.data.pairings.find(one => one.pairing === pairing)
    }
  }
  return undefined
}

function supports(
  { entry, predicate: { guestcert, policy, verificationResult } }: Known<DecisionPredicate>,
  certificate: CertificatePredicate,
): boolean {
  return (
    verificationResult === 'PASSED' &&
    guestcert.pairing === certificate.pairing &&
    policy.digest.sha256 === certificate.policy.digest &&
    certificate.runs.length > 0 &&
    certificate.runs.every(leaf => entry.cites.includes(leaf)) &&
    entry.cites.every(leaf => certificate.runs.includes(leaf)) &&
    (certificate.level === 'self-attested' || guestcert.level === 'certified') &&
    Date.parse(certificate.validUntil) <= Date.parse(guestcert.validUntil ?? '')
  )
}
