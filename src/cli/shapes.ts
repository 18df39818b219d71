import { z } from 'zod'
import { summarySchema } from '../reports/summary-schema.js'
import { recordShapes } from './record/shapes.js'

const count = z.int().min(0)
const text = z.string()
const names = z.array(text)

const applies = z.unknown().describe('conditions on guest and host, as the manifest has them')
const level = z.enum(['required', 'optional'])

const login = z.strictObject({
  name: text.describe('a host, or GUEST.HOST.CONFIGURATION'),
  user: text,
  host: text,
  port: z.int(),
  key: text.nullable().describe('the file of the private key'),
  hostKey: text.nullable().describe('SHA256:…'),
})

const finding = z.strictObject({
  check: text,
  state: z.enum(['ok', 'missing', 'not-checked']),
  asked: text.describe('what is expected'),
  seen: text.describe('what was found'),
  durationMs: z.number().min(0),
})

const claim = z.strictObject({
  test: text,
  persona: text,
  mutant: text.optional().describe('absent where the test must pass'),
  breaksBoot: z.literal(true).optional(),
  holds: z.boolean(),
  verdict: text,
  reason: text,
})

/** A planned environment: what programs may rely on of it. More is in `plan.json`, and may change. */
const environment = z.looseObject({
  id: text.describe('guest@product-version/configuration'),
  hosts: names.describe('any of them may serve it'),
  emulated: z.boolean(),
  tests: z.array(z.looseObject({ id: text, suite: text, title: text, level })),
  leftOut: z.array(z.looseObject({ test: text, why: text, kind: text.optional() })),
})

/** What `--json` prints, by command: published as `schemas/output.schema.json` and `docs/json.md`. */
export const shapes: Readonly<Record<string, z.ZodType>> = {
  plan: z.strictObject({
    digest: text.describe('SHA-256, without addresses, ports and secrets'),
    expected: count.describe('how many results there will be'),
    environments: z.array(environment),
    reserved: z
      .array(z.looseObject({ id: text, why: text }))
      .describe('environments that are left out, as others have reserved the host'),
    shard: z.looseObject({ index: z.int(), of: z.int() }).optional().describe('with --shard'),
  }),
  'list suites': z.array(
    z.strictObject({
      suite: text,
      version: text,
      title: text,
      manifest: text.describe('the file'),
      digest: text,
      applies,
      tests: names,
    }),
  ),
  'list tests': z.array(
    z.strictObject({
      suite: text,
      id: text.describe('without the suite'),
      title: text,
      level,
      requirements: names,
      applies: z.strictObject({ suite: applies, test: applies }),
      needs: z.unknown().describe('abilities of the host, as the manifest has them'),
      protocol: text,
      parameters: z.unknown().optional(),
      codes: z.unknown().optional(),
      proof: z.unknown().describe('personas and mutants that it is proven on, or null'),
      tags: names,
    }),
  ),
  'list guests': z.array(
    z.strictObject({
      id: text,
      product: text,
      version: text,
      edition: text.nullable(),
      arch: text,
      family: text,
      shell: text,
      tags: names,
      emulated: text.nullable().describe('the persona'),
      on: z.array(z.strictObject({ host: text, configuration: z.looseObject({ name: text }) })),
    }),
  ),
  'list hosts': z.array(
    z.strictObject({
      id: text,
      product: text,
      version: text,
      driver: text,
      emulated: text.nullable().describe('the persona'),
      capacity: z
        .strictObject({
          guests: count.nullable(),
          vcpus: count.nullable(),
          memoryBytes: count.nullable(),
          locks: names,
        })
        .describe('null where there is no bound'),
      guests: names,
    }),
  ),
  'list products': z.array(
    z.strictObject({
      id: text,
      role: z.enum(['hypervisor', 'guest']),
      title: text,
      family: text.nullable(),
    }),
  ),
  'list requirements': z.array(
    z.strictObject({
      id: text,
      text: text.nullable(),
      source: text.nullable(),
      version: text.nullable(),
      tests: names,
    }),
  ),
  report: summarySchema,
  merge: summarySchema,
  'reports prune': z.strictObject({
    reports: text.describe('the folder'),
    dryRun: z.boolean(),
    removed: names,
    kept: z.array(z.strictObject({ run: text, why: text })).describe('old runs that stay all the same'),
    left: count.describe('runs that are there afterwards'),
  }),
  'lab build': z.strictObject({ image: text, folder: text, keyPath: text, hostKey: text }),
  'lab up': z.array(login),
  'lab down': z.strictObject({ lab: text, wasUp: z.boolean() }),
  'lab clean': z.strictObject({
    lab: text,
    dryRun: z.boolean(),
    found: z.array(
      z.strictObject({
        machine: text,
        name: text,
        what: text,
        stays: text.nullable().describe('why it stays; null where it was removed, or would be'),
        failed: z.boolean(),
      }),
    ),
  }),
  doctor: z.strictObject({
    lab: text,
    ok: z.boolean(),
    counts: z.strictObject({ ok: count, missing: count, 'not-checked': count }),
    subjects: z.array(
      z.strictObject({
        host: text,
        guest: z
          .strictObject({ id: text, configuration: text })
          .optional()
          .describe('absent for the host itself'),
        emulated: z.boolean(),
        note: text.optional(),
        findings: z.array(finding),
      }),
    ),
  }),
  'doctor --contract': z.strictObject({
    host: text,
    driver: text,
    product: text,
    version: text,
    real: z.boolean().describe('false where an emulator answered'),
    results: z.array(
      z.strictObject({ part: text, state: z.enum(['held', 'broken', 'not-tried']), seen: text }),
    ),
    transcript: text.describe('the file that it was saved in'),
  }),
  prove: z.strictObject({
    findings: z.array(claim),
    unproven: names.describe('tests whose manifests declare no proof'),
  }),
  ...recordShapes,
}
