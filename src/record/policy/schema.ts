import { z } from 'zod'
import { guestProducts, hypervisorProducts } from '../../config/products.js'
import { count, id, moment, oneOrMore, range, size, text } from '../../config/scalars.js'
import { parseSizeBytes } from '../../config/units.js'

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256: 64 hexadecimal digits')
const days = z.int('expected a whole number of days').min(1, 'expected at least one day')

const span = z
  .strictObject({ least: count, most: count })
  .refine(({ least, most }) => least <= most, 'expected "least" to be at most "most"')
const sizeSpan = z
  .strictObject({ least: size, most: size })
  .refine(
    ({ least, most }) => (parseSizeBytes(least) ?? 0) <= (parseSizeBytes(most) ?? 0),
    'expected "least" to be at most "most"',
  )

const configuration = z.strictObject({
  vcpus: z.union([count, span]).optional(),
  memory: z.union([size, sizeSpan]).optional(),
  firmware: oneOrMore(text).optional(),
  generation: oneOrMore(count).optional(),
  mode: oneOrMore(text).optional(),
  machine: oneOrMore(text).optional(),
  disk: oneOrMore(text).optional(),
  nic: oneOrMore(text).optional(),
})

const signature = z.strictObject({
  party: id,
  role: z.enum(['lab', 'reviewer']).meta({ description: 'Whose key signs the decision' }),
})

const pairing = z.strictObject({
  pairing: id,
  title: text,
  guest: z.strictObject({
    product: z.enum(guestProducts.map(product => product.id)),
    version: range,
    edition: text.optional(),
    arch: text,
  }),
  hypervisor: z.strictObject({
    product: z.enum(hypervisorProducts.map(product => product.id)),
    version: range,
  }),
  configuration: configuration.optional(),
  accelerators: z
    .array(z.enum(['kvm', 'xen', 'hyperv', 'esxi', 'tcg']))
    .min(1)
    .meta({
      description: '"tcg" is software emulation: it counts for no other pairing than those that say so',
    }),
  required: z.array(text).min(1, 'expected at least one test: nothing is certified by no test'),
  optional: z.array(text).optional(),
  manual: z
    .array(z.strictObject({ id, text }))
    .optional()
    .meta({ description: 'What an engineer answers, with name and note' }),
  inapplicable: z.array(text).optional().meta({
    description: 'Required tests that may say that they do not apply; never those that a driver cannot do',
  }),
  flagged: z
    .array(text)
    .optional()
    .meta({ description: 'Tests that are known to be broken: what becomes of them is excused' }),
  signatures: z.array(signature).min(1, 'expected at least one signature'),
  support: z
    .strictObject({ first: text, second: text })
    .meta({ description: 'Whom a customer calls first, and whom they bring in' }),
  supportEnds: z.strictObject({ guest: moment.optional(), hypervisor: moment.optional() }).optional().meta({
    description: 'When their vendors’ support ends: certificates are historic from then on, and not void',
  }),
})

/** What a `policy.yaml` may hold: what must be shown for a certificate. */
export const policySchema = z.strictObject({
  policy: id,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'expected a version such as "1.0.0"'),
  title: text,
  kit: z
    .union([
      z.literal('shipped'),
      z.strictObject({ harness: z.array(digest).min(1), suites: z.record(id, z.array(digest).min(1)) }),
    ])
    .meta({
      description: 'Which program and suites count: those of whoever decides, or these digests',
    }),
  kitValid: z.strictObject({ from: moment, until: moment }).optional(),
  ageDays: days.meta({ description: 'How old a run may be, from its registration' }),
  row: count.meta({
    description: 'How many registered runs of a pairing must have passed, one after the other',
  }),
  registered: z.boolean().meta({ description: 'Whether a run must have been registered before it began' }),
  cosigned: z
    .boolean()
    .optional()
    .meta({ description: 'Whether another party must have cosigned the registration' }),
  reproduction: z
    .enum(['required', 'optional'])
    .meta({ description: 'Whether another party must have reproduced a sample, or run it itself' }),
  waivers: z.strictObject({ owner: id, mostDays: days, never: z.array(text) }),
  carry: z
    .enum(['none', 'minor'])
    .meta({ description: 'Whether a certificate also covers later minor updates of guest and hypervisor' }),
  validDays: days,
  imports: z
    .array(z.strictObject({ tool: text, party: id }))
    .optional()
    .meta({ description: 'Tools whose imported results count, and the party that must have signed them' }),
  pairings: z.array(pairing).min(1),
})

/** What must be shown for certificates of these pairings. */
export type Policy = z.infer<typeof policySchema>

/** What must be shown for one pairing. */
export type PolicyPairing = Policy['pairings'][number]
