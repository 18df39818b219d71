import { createHash } from 'node:crypto'
import type { Limits } from '../config/limits.js'
import type { Family } from '../config/model.js'
import { canonical } from './digest.js'
import type { PlannedTest } from './types.js'

/** The suite of what the program itself finds out: no suite of a lab may have its name. */
export const ownSuite = 'guestcert'

/** The first result of every environment: whether its guest boots, answers and lets us in. */
export const bootTestId: string = `${ownSuite}/boot`

/** The requirement that it speaks for. */
export const bootRequirement = 'GC-BOOT-01'

/** What is done to bring a guest up, in this order; not every guest needs every step. */
export const bootSteps = [
  'lease',
  'prepare',
  'start',
  'address',
  'connect',
  'log-in',
  'payload',
  'ready',
  'facts',
] as const

/** One step of bringing a guest up. */
export type BootStep = (typeof bootSteps)[number]

/** Changes with the meaning of the result: it is part of the plan's digest. */
const version = '1.0.0'

/** What a guest's bring-up depends on. */
export interface BootRequest {
  /** False for a guest that runs already. */
  readonly startsGuest: boolean
  readonly family: Family
  readonly limits: Limits
}

/**
 * The planned result of bringing a guest up. It is planned wherever a test is, is not a test that could be chosen, and
 * belongs to the environment as a whole: each bring-up is one attempt of it.
 */
export function bootTest({ startsGuest, family, limits }: BootRequest): PlannedTest {
  return {
    id: bootTestId,
    suite: ownSuite,
    suiteVersion: version,
    suiteDigest: createHash('sha256').update(canonical({ bootTestId, version, bootSteps })).digest('hex'),
    title: startsGuest ? 'boots, answers and lets us in' : 'answers and lets us in',
    level: 'required',
    requirements: [bootRequirement],
    protocol: 'bring-up',
    file: '',
    manifest: 'docs/boot.md',
    line: 1,
    limitMs: limits.boot,
    isolation: 'shared',
    provenOn: family === 'linux' ? 'real' : 'emulated',
    after: [],
  }
}

/** Whether a planned test is the bring-up of its environment, which no suite holds. */
export function isBringUp({ protocol }: Pick<PlannedTest, 'protocol'>): boolean {
  return protocol === 'bring-up'
}
