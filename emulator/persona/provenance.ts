/** Where a fact comes from, from the strongest to the weakest. */
const ranks = ['captured', 'transcript', 'vendor', 'assumed', 'mutant'] as const

export type ProvenanceKind = (typeof ranks)[number]

/** What a `from` may say: `captured`, `transcript: URL`, `vendor: URL`, `assumed`, `mutant`. */
export const provenancePattern = /^(?:captured|assumed|mutant|(?:transcript|vendor): https?:\/\/\S+)$/

/** The kind of a provenance, e.g. `vendor` of `vendor: https://…`. */
export function provenanceKind(from: string): ProvenanceKind {
  return ranks.find(rank => from === rank || from.startsWith(`${rank}:`)) ?? 'assumed'
}

/** The weakest of several provenances; undefined of none. */
export function weakest(provenances: Iterable<string>): string | undefined {
  let found: string | undefined
  for (const from of provenances) {
    if (found === undefined || ranks.indexOf(provenanceKind(from)) > ranks.indexOf(provenanceKind(found)))
      found = from
  }
  return found
}
