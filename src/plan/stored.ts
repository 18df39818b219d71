import { z } from 'zod'
import type { Plan } from './types.js'

const text = z.string()
const texts = z.array(text)

const test = z.looseObject({
  id: text,
  suite: text,
  suiteVersion: text,
  suiteDigest: text,
  title: text,
  level: z.enum(['required', 'optional']),
  requirements: texts,
  protocol: text,
  file: text,
  manifest: text,
  line: z.int().nonnegative(),
  limitMs: z.number(),
  isolation: text,
  provenOn: z.enum(['real', 'emulated', 'nothing']).optional(),
  after: texts,
})

const environment = z.looseObject({
  id: text,
  guest: z.looseObject({
    id: text,
    product: text,
    version: text,
    edition: text.nullable(),
    arch: text,
    family: text,
    shell: text,
  }),
  hypervisor: z.looseObject({ product: text, version: text }),
  configuration: z.looseObject({ name: text }),
  emulated: z.boolean(),
  hosts: texts,
  tests: z.array(test),
  leftOut: z.array(
    z.looseObject({
      test: text,
      why: text,
      kind: z.enum(['not-applicable', 'not-chosen', 'unable']).optional(),
      level: z.enum(['required', 'optional']).optional(),
    }),
  ),
})

const stored = z.looseObject({
  lab: text,
  digest: text,
  expected: z.int().nonnegative(),
  limits: z.record(text, z.number()),
  environments: z.array(environment),
  shard: z
    .looseObject({
      index: z.int().positive(),
      of: z.int().positive(),
      whole: text,
      positions: z.array(z.int().nonnegative()),
      durations: text.optional(),
    })
    .optional(),
  reserved: z.array(z.looseObject({ id: text, why: text })).optional(),
})

/** Reads a plan that a run left, which may be a stranger's; `null` for anything else. */
export function parseStoredPlan(content: string): Plan | null {
  try {
    // What is checked is what readers of plans go by: the rest is of no harm.
    return stored.parse(JSON.parse(content)) as unknown as Plan
  } catch {
    return null
  }
}
