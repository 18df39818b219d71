import { z } from 'zod'
import { abilities } from './abilities.js'
import { apiVersion } from './api-version.js'
import { parametersSchema } from './parameters.js'
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

/** 0 is the pass, and nothing else can be one. */
const exitCode = z
  .int('expected a whole number from 1 to 255')
  .min(1, 'expected an exit code from 1 to 255: 0 is the pass, and can be nothing else')
  .max(255, 'expected an exit code from 1 to 255: no process ends with a larger one')

/** A status above 128 may be a signal, and 126 and 127 are a shell's own. */
const skipCode = exitCode.refine(
  code => code <= 125 || code === 128,
  'expected no status that a shell gives by itself: 126 and 127 mean that a command could not be run, and a status ' +
    'above 128 may be a signal',
)

const exitCodes = z.strictObject({
  skip: oneOrMore(skipCode)
    .optional()
    .meta({ description: 'Exit codes with which the script says that it does not apply' }),
  error: oneOrMore(exitCode)
    .optional()
    .meta({ description: 'Exit codes with which the script says that it could not be carried out' }),
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
    codes: exitCodes
      .optional()
      .meta({ description: 'What exit codes mean, with protocol "exit"; any other but 0 is a failure' }),
    applies: applies.optional(),
    limit: duration.optional(),
    isolation: z.enum(['shared', 'alters-guest', 'own-instance']).optional(),
    parallel: z.literal(true).optional().meta({
      description:
        'The script disturbs nothing and is disturbed by nothing: it may run beside others of its kind',
    }),
    parameters: parametersSchema.optional().meta({
      description: 'Values that the test is run with: every combination of them is a test of its own',
    }),
    after: z.array(text).optional().meta({
      description:
        'Tests of this suite that must pass first: "blocks" with all of its parameters, or "blocks[size=1MiB]"',
    }),
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
        peer: z
          .union([z.literal(true), oneOrMore(guestMatch)])
          .optional()
          .meta({
            description: 'A second guest of the same run, on the same host: any, or one that matches',
          }),
      })
      .optional(),
    measures: z.record(id, text).optional().meta({ description: 'What the test measures, with its unit' }),
    proof: z
      .strictObject({
        passesOn: z.array(text).min(1),
        mutants: z
          .array(z.union([text, z.record(text, z.literal('boot'))]))
          .refine(mutants => mutants.some(mutant => typeof mutant === 'string'), {
            message: 'expected at least one mutant that the test itself fails on',
          })
          .meta({
            description:
              'Mutants on which the test itself must see a check fail; "{ NAME: boot }" for one whose guest cannot even be brought up',
          }),
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
    if (test.script !== undefined && test.needs?.peer !== undefined) {
      const message = 'a script cannot reach a peer: only a module can'
      context.addIssue({ code: 'custom', message, path: ['needs', 'peer'] })
    }
    if (test.module !== undefined && test.protocol !== undefined) {
      context.addIssue({ code: 'custom', message: 'a module has no protocol', path: ['protocol'] })
    }
    for (const { message, path } of [...codeMistakes(test), ...parallelMistakes(test)]) {
      context.addIssue({ code: 'custom', message, path })
    }
  })

/** What disturbs a guest or its host, or needs them to itself, cannot run beside others. */
function parallelMistakes(test: {
  readonly parallel?: true | undefined
  readonly module?: string | undefined
  readonly isolation?: string | undefined
  readonly needs?:
    | { readonly [need in 'host' | 'guest' | 'locks']?: readonly string[] | undefined }
    | undefined
}): { message: string; path: string[] }[] {
  const { parallel, module, isolation = 'shared', needs } = test
  const reasons = [
    module === undefined ? null : 'a module has the guest to itself: only a script may say "parallel"',
    isolation === 'shared' ? null : `a test with "isolation: ${isolation}" runs alone`,
    [needs?.host, needs?.guest, needs?.locks].every(all => all === undefined || all.length === 0)
      ? null
      : 'a test that needs an ability of guest or host, or a lock, runs alone',
  ]
  return parallel === undefined
    ? []
    : reasons.flatMap(message => (message === null ? [] : [{ message, path: ['parallel'] }]))
}

/** Codes have a meaning with protocol `exit` alone, and one meaning each. */
function codeMistakes({
  protocol,
  codes,
}: {
  readonly protocol?: string | undefined
  readonly codes?: z.infer<typeof exitCodes> | undefined
}): { message: string; path: (string | number)[] }[] {
  if (codes === undefined) {
    return []
  }
  if (protocol !== 'exit') {
    const given = protocol === undefined ? 'a module' : `protocol "${protocol}"`
    return [{ message: `${given} has no exit codes: "codes" needs protocol "exit"`, path: ['codes'] }]
  }
  if (codes.skip === undefined && codes.error === undefined) {
    return [{ message: 'expected "skip" or "error" with exit codes', path: ['codes'] }]
  }
  const seen = new Map<number, string>()
  return (['skip', 'error'] as const).flatMap(key =>
    [codes[key] ?? []].flat().flatMap((code, index) => {
      const other = seen.get(code)
      seen.set(code, key)
      const path = ['codes', key, ...(Array.isArray(codes[key]) ? [index] : [])]
      return other === undefined
        ? []
        : [{ message: `expected a code of its own: it is already one of "${other}"`, path }]
    }),
  )
}

/** What a `suite.yaml` may hold. */
export const suiteSchema = z.strictObject({
  suite: id,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'expected a version such as "1.0.0"'),
  title: text,
  api: z
    .literal(apiVersion)
    .optional()
    .meta({ description: 'The version of guestcert/api that its modules are written for: 1 if absent' }),
  applies: applies.optional(),
  tests: z.array(testEntry).min(1, 'expected at least one test'),
})

export type SuiteFile = z.infer<typeof suiteSchema>
export type TestFile = SuiteFile['tests'][number]
export type AppliesFile = z.infer<typeof applies>
export type HostNeed = NonNullable<NonNullable<TestFile['needs']>['host']>[number]
