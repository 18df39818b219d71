import { packageVersion } from '../../config/package-root.js'
import { digestOf } from '../canonical.js'
import { decide } from '../decision/decide.js'
import type { Decision, DecisionInput, Kit } from '../decision/types.js'
import type { LoadedPolicy } from '../policy/load.js'
import type { PolicyPairing } from '../policy/schema.js'
import type { Appended } from './append.js'
import { casesOf } from './cases.js'
import { type CertificatePredicate, type DecisionPredicate, statementAbout } from './entries.js'
import type { Record } from './read.js'
import { type RecordView, saidAgainst, viewOf } from './view.js'
import type { NewStatement } from './write.js'

/** A decision about one of a policy's pairings, and what it is about. */
export interface Decided {
  readonly pairing: PolicyPairing
  readonly decision: Decision
  readonly input: DecisionInput
}

/** What a policy says of each of its pairings, by what a record holds. */
export async function decideAll(
  record: Record,
  {
    policy,
    kit,
    nowMs,
  }: { readonly policy: LoadedPolicy['policy']; readonly kit: Kit; readonly nowMs: number },
): Promise<readonly Decided[]> {
  const all: Decided[] = []
  for (const pairing of policy.pairings) {
    const input = await casesOf({ record, policy, pairing, kit, nowMs })
    all.push({ pairing, input, decision: decide(input) })
  }
  return all
}

/** A decision as a statement: a Verification Summary of SLSA, version 1. */
export function decisionStatement(
  { pairing, decision, input }: Decided,
  { policy, digest }: LoadedPolicy,
  party: string,
  record: Record,
): NewStatement {
  const runs = runsOf(input, record)
  const predicate: DecisionPredicate = {
    verifier: { id: `guestcert:party/${party}`, version: { guestcert: packageVersion() } },
    timeVerified: new Date(input.nowMs).toISOString(),
    resourceUri: `guestcert:pairing/${pairing.pairing}`,
    policy: { uri: `guestcert:policy/${policy.policy}@${policy.version}`, digest: { sha256: digest } },
    inputAttestations: runs.map(({ leaf, object }) => ({
      uri: `guestcert:entry/${leaf}`,
      digest: { sha256: object },
    })),
    verificationResult: decision.certifies ? 'PASSED' : 'FAILED',
    verifiedLevels:
      decision.level === null ? [] : [`GUESTCERT_${decision.level.toUpperCase().replace('-', '_')}`],
    guestcert: {
      pairing: pairing.pairing,
      level: decision.level,
      validUntil: decision.validUntil,
      reasons: decision.reasons.map(({ code, text }) => ({ code, text })),
      waived: decision.waived,
    },
  }
  const subject = input.cases.map(({ run }) => ({
    name: 'pairing',
    digest: { sha256: digestOf(run.pairing) },
  }))
  return {
    kind: 'decision',
    statement: statementAbout('decision', subject, predicate),
    cites: runs.map(({ leaf }) => leaf),
  }
}

function runsOf(
  { cases }: DecisionInput,
  record: Record,
): readonly { readonly leaf: string; readonly object: string }[] {
  return cases.flatMap(({ object }) => {
    const entry = record.entries.find(({ kind, digest }) => kind === 'run' && digest === object)
    return entry === undefined ? [] : [{ leaf: entry.leaf, object }]
  })
}

/** The policy as an entry; `null` where the record holds it already. */
export function policyStatement({ policy, digest }: LoadedPolicy, record: Record): NewStatement | null {
  const isKnown = record.entries.some(
    ({ kind, statement }) =>
      kind === 'policy' && (statement.predicate as { digest?: string }).digest === digest,
  )
  if (isKnown) return null
  const at = new Date().toISOString()
  const subject = [{ name: `policy ${policy.policy}`, digest: { sha256: digest } }]
  return { kind: 'policy', cites: [], statement: statementAbout('policy', subject, { at, digest, policy }) }
}

/**
 * The certificate that decisions come to once every party that a pairing asks for has made its own, about the same
 * runs; `null` before.
 */
export function certificateFor(
  { pairing, input }: Decided,
  { policy, digest }: LoadedPolicy,
  record: Record,
): NewStatement | null {
  const view = viewOf(record)
  const runs = runsOf(input, record).map(({ leaf }) => leaf)
  const decisions = pairing.signatures.map(({ party, role }) =>
    view.decisions.findLast(
      ({ entry, predicate }) =>
        predicate.guestcert.pairing === pairing.pairing &&
        predicate.policy.digest.sha256 === digest &&
        entry.signers.some(signer => signer.party === party && signer.roles.includes(role)) &&
        entry.cites.length === runs.length &&
        entry.cites.every(leaf => runs.includes(leaf)),
    ),
  )
  const passed = decisions.filter(
    one =>
      one !== undefined &&
      one.predicate.verificationResult === 'PASSED' &&
      saidAgainst(view, one.entry) === null,
  )
  if (runs.length === 0 || passed.length < decisions.length) return null
  const made = passed.flatMap(one => (one === undefined ? [] : [one]))
  const leaves = made.map(({ entry }) => entry.leaf)
  if (view.certificates.some(({ entry }) => leaves.every(leaf => entry.cites.includes(leaf)))) return null
  const predicate: CertificatePredicate = {
    at: new Date(input.nowMs).toISOString(),
    number: `GC-${new Date(input.nowMs).getUTCFullYear()}-${leaves.at(-1)?.slice(0, 8) ?? ''}`,
    pairing: pairing.pairing,
    title: pairing.title,
    level: made.every(one => one.predicate.guestcert.level === 'certified') ? 'certified' : 'self-attested',
    validUntil: made.map(one => one.predicate.guestcert.validUntil ?? '').sort()[0] ?? '',
    policy: { name: policy.policy, version: policy.version, digest },
    carry: policy.carry,
    decisions: leaves,
    runs,
    support: pairing.support,
  }
  const subject = input.cases.map(({ run }) => ({
    name: 'pairing',
    digest: { sha256: digestOf(run.pairing) },
  }))
  return { kind: 'certificate', statement: statementAbout('certificate', subject, predicate), cites: leaves }
}

/** Which entries a certificate rests on that somebody has spoken against since. */
export function againstCertificate(
  view: RecordView,
  record: Record,
  { entry, predicate }: RecordView['certificates'][number],
): string | null {
  const under = new Set([entry.leaf, ...predicate.decisions, ...predicate.runs])
  for (const one of record.entries) {
    const said = under.has(one.leaf) ? saidAgainst(view, one) : null
    if (said !== null) return said
  }
  return null
}

/** What was appended, for people. */
export function told({ leaf, index, isNew }: Appended, what: string): string {
  return `${isNew ? 'recorded' : 'already recorded'}: ${what}, entry ${index}, ${leaf}\n`
}
