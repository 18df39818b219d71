import { z } from 'zod'

const count = z.int().min(0)
const counts = z.strictObject({
  pass: count,
  fail: count,
  error: count,
  skip: count,
  blocked: count,
  'not-run': count,
})
const level = z.enum(['required', 'optional'])

const test = z.strictObject({
  test: z.string().describe('suite/test, and its parameters where it has any'),
  level,
  verdict: z.enum(['pass', 'fail', 'error', 'skip', 'blocked', 'not-run']),
  cause: z
    .enum(['guest', 'host', 'network', 'runner', 'test', 'unknown'])
    .optional()
    .describe('whose fault it is; absent on a pass'),
  reason: z.string().optional().describe('why, in one line; absent on a pass'),
  flaky: z.literal(true).optional().describe('a pass after an attempt that was none'),
  durationMs: z.number().min(0).optional().describe('of a bring-up'),
  attempts: count.optional().describe('of a bring-up'),
  stepsMs: z.record(z.string(), z.number()).optional().describe('of a bring-up: how long each step took'),
  step: z.string().optional().describe('the step that a bring-up did not get past'),
})

const environment = z.strictObject({
  id: z.string().describe('guest@product-version/configuration'),
  emulated: z.boolean().describe('results of emulated guests certify nothing'),
  durationMs: z
    .number()
    .min(0)
    .describe('from its first event to its last, without the time between sessions'),
  counts,
  leftOut: z.array(z.strictObject({ test: z.string(), why: z.string(), level: level.optional() })),
  tests: z.array(test).describe('every planned test'),
})

/** What `summary.json` holds: its JSON Schema is published as `schemas/summary.schema.json`. */
export const summarySchema = z
  .strictObject({
    run: z.string().nullable(),
    lab: z.string(),
    planDigest: z.string(),
    exitCode: z.int(),
    labels: z.record(z.string(), z.string()),
    parents: z.array(z.string()).optional().describe('the runs that it was merged from'),
    endedEarly: z.string().optional().describe('why the run ended before its plan, if nobody interrupted it'),
    counts,
    flaky: count,
    leftOutRequired: count.describe('required tests that apply and that the plan leaves out'),
    durationMs: z.number().min(0),
    orphans: z
      .array(
        z.strictObject({ environment: z.string(), instance: z.string(), host: z.string(), what: z.string() }),
      )
      .describe('what could not be removed from hosts'),
    environments: z.array(environment).describe("every planned environment, in the plan's order"),
  })
  .describe('What a guestcert run came to, for programs that do not read journals')
