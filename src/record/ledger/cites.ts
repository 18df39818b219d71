import type { InTotoStatement } from '../statement/types.js'

const prefix = 'guestcert:entry/'

/**
 * The entries that a statement of a kind is signed about, by their leaf hashes; `null` for kinds that are about none. The
 * leaf of an entry names them as well, and nobody has signed that.
 */
function signedCites(kind: string, { subject, predicate }: InTotoStatement): readonly string[] | null {
  const said = predicate as Readonly<{ [key: string]: unknown }>
  switch (kind) {
    case 'decision':
      return listOf(said.inputAttestations).map(one =>
        String((one as { uri?: unknown }).uri).replace(prefix, ''),
      )
    case 'certificate':
      return listOf(said.decisions).map(String)
    case 'rejection':
    case 'revocation':
    case 'challenge':
    case 'answer':
    case 'manual':
    case 'countersignature':
      return subject.filter(({ name }) => name === 'record-entry').map(({ digest }) => digest.sha256)
    default:
      return null
  }
}

/** Whether an entry is about what its statement was signed about. */
export function isCitedAsSigned(kind: string, cites: readonly string[], statement: InTotoStatement): boolean {
  const signed = signedCites(kind, statement)
  return signed === null || (signed.length === cites.length && signed.every(leaf => cites.includes(leaf)))
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
