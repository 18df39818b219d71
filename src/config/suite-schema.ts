import { z } from 'zod'
import { abilities } from './abilities.js'
import { guestProducts, hypervisorProducts } from './products.js'
import { duration, id, oneOrMore, range, text } from './scalars.js'

const guestMatch = z.strictObject({
  family: oneOrMore(z.enum(['linux', 'windows'])).optional(),
  product: oneOrMore(z.enum(guestProducts.map(product => product.id))).optional(),
  version: range.optional(),
  arch: oneOrMore(z.enum(['x86_64', 'i386', 'aarch64', 'ppc64le', 's390x', 'ia64'])).optional(),
  shell: oneOrMore(z.enum(['posix', 'powershell', 'cmd'])).optional(),
})

const hypervisorMatch = z.strictObject({
  not: oneOrMore(z.enum(hypervisorProducts.map(product => product.id)))
    .optional()
    .meta({ description: 'Products that it does not apply to' }),
  product: oneOrMore(z.enum(hypervisorProducts.map(product => product.id))).optional(),
  version: range.optional(),
})

const configurationKeys = [
  'vcpus',
  'memory',
  'firmware',
  'generation',
  'mode',
  'machine',
  'cpu',
  'disk',
  'nic',
  'tools',
] as const

const configurationMatch = z.partialRecord(
  z.enum(configurationKeys),
  oneOrMore(z.union([z.string(), z.number()])),
)

const applies = z.strictObject({
  guest: oneOrMore(guestMatch)
    .optional()
    .meta({ description: 'All keys of one entry must hold; any entry is enough' }),
  hypervisor: oneOrMore(hypervisorMatch).optional(),
  configuration: configurationMatch.optional(),
})

const testEntry = z
  .strictObject({
    id,
    title: text,
    why: text.optional(),
    requirements: z.array(text).min(1, 'expected at least one requirement id'),
    level: z.enum(['required', 'optional']),
    script: text.optional(),
    module: text.optional(),
    protocol: z.enum(['tap', 'ktap', 'exit']).optional(),
    applies: applies.optional(),
    limit: duration.optional(),
    isolation: z.enum(['shared', 'alters-guest', 'own-instance']).optional(),
    after: z.array(id).optional().meta({ description: 'Tests of this suite that must pass first' }),
    tags: z.array(id).optional(),
    needs: z
      .strictObject({
        host: z.array(z.enum(abilities)).optional(),
        guest: z.array(z.enum(['reboot'])).optional(),
        locks: z
          .array(id)
          .optional()
          .meta({ description: "Locks of a host's capacity that it must have to itself" }),
        configuration: z.array(z.enum(configurationKeys)).optional(),
      })
      .optional(),
    measures: z.record(id, text).optional().meta({ description: 'What the test measures, with its unit' }),
    proof: z
      .strictObject({
        passesOn: z.array(text).min(1),
        mutants: z.array(text).min(1),
        real: z
          .partialRecord(z.enum(['linux', 'windows']), z.array(text).min(1))
          .optional()
          .meta({ description: 'Real systems on which it was seen to pass, by family' }),
      })
      .optional()
      .meta({ description: 'Personas on which it passes, and mutants on which it must fail' }),
  })
  .superRefine((test, context) => {
    if ((test.script === undefined) === (test.module === undefined)) {
      context.addIssue({
        code: 'custom',
        message: 'expected exactly one of "script" and "module"',
        path: ['id'],
      })
    }
    if (test.script !== undefined && test.protocol === undefined) {
      const message = 'a script must declare its protocol: "tap", "ktap" or "exit"'
      context.addIssue({ code: 'custom', message, path: ['script'] })
    }
    if (test.module !== undefined && test.protocol !== undefined) {
      context.addIssue({ code: 'custom', message: 'a module has no protocol', path: ['protocol'] })
    }
  })

/** What a `suite.yaml` may hold. */
export const suiteSchema = z.strictObject({
  suite: id,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'expected a version such as "1.0.0"'),
  title: text,
  applies: applies.optional(),
  tests: z.array(testEntry).min(1, 'expected at least one test'),
})

export type SuiteFile = z.infer<typeof suiteSchema>
export type TestFile = SuiteFile['tests'][number]
export type AppliesFile = z.infer<typeof applies>
export type HostNeed = NonNullable<NonNullable<TestFile['needs']>['host']>[number]
