import { z } from 'zod'

const count = z.int().min(0)
const text = z.string()
const digest = text.describe('SHA-256')

const recorded = z.array(
  z.strictObject({
    index: count,
    leaf: digest.describe('the leaf hash in the log'),
    isNew: z.boolean().describe('false for what was recorded before'),
    what: text,
  }),
)

const said = z.array(z.strictObject({ code: text, text }))

const decisions = z.array(
  z.strictObject({
    pairing: text,
    certifies: z.boolean(),
    level: z.enum(['certified', 'self-attested']).nullable(),
    validUntil: text.nullable(),
    reasons: said.describe('what stands against a certificate'),
    waived: z.array(z.strictObject({ test: text, waiver: text, expires: text })),
    notes: said,
  }),
)

const entry = {
  index: count,
  leaf: digest,
  kind: text,
  cites: z.array(digest).describe('leaf hashes of the entries that it is about'),
  signers: z.array(z.looseObject({ party: text })),
}

/** What `--json` prints of commands about records. */
export const recordShapes: Readonly<Record<string, z.ZodType>> = {
  'record status': z.array(
    z.strictObject({
      pairing: text,
      title: text,
      state: z.enum(['certified', 'self-attested', 'expired', 'revoked', 'not certified']),
      number: text.nullable().describe('of the certificate'),
      validUntil: text.nullable(),
      why: z.array(text),
      coverage: z
        .strictObject({
          state: z.enum(['covered', 'carried forward', 'not covered']),
          differences: z.array(z.strictObject({ name: text, certified: text, found: text })),
        })
        .nullable()
        .describe('with --facts, of a pairing that is certified'),
    }),
  ),
  'record show': z.array(z.strictObject({ ...entry, statement: digest })),
  'record show ENTRY': z.strictObject({
    ...entry,
    statement: z.looseObject({ predicateType: text }).describe('the in-toto statement'),
  }),
  'record why': decisions,
  'record verify': z.strictObject({
    entries: count,
    flaws: z
      .array(z.strictObject({ file: text, why: text }))
      .describe('files that are not as they were recorded'),
    refolded: count.describe('journals that were folded again'),
    withoutJournal: count.describe('runs whose verdicts cannot be checked'),
    unsigned: z.array(count).describe('entries that nobody signed whose key counts'),
    isFresh: z.boolean(),
    freshness: text,
  }),
  'record register': z.strictObject({ registration: digest, planDigest: digest, expected: count }),
  'record add': recorded,
  'record decide': z.strictObject({ decisions, recorded }),
  'record sign': recorded,
  'record sign head': z.strictObject({ file: text, party: text, size: count }),
  'record reject': recorded,
  'record revoke': recorded,
  'record challenge': z.strictObject({
    recorded,
    tests: z.array(text).describe('what is to be run again'),
  }),
  'record answer': recorded,
  'record submit': recorded,
  import: z.strictObject({
    tests: z.array(z.strictObject({ test: text, verdict: text })),
    unmapped: z.array(text).describe('cases that stand for no test'),
    missing: z.array(text).describe('tests of the mapping that have no case'),
    recorded,
  }),
  waive: z.strictObject({
    waivers: z.array(
      z.strictObject({ id: text, test: text, guest: text, expires: text, expired: z.boolean() }),
    ),
    recorded,
  }),
}
