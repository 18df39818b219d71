import { z } from 'zod'
import { provenancePattern } from './provenance.js'

const from = z
  .string('says where the fact comes from')
  .regex(provenancePattern, 'captured, assumed, mutant, transcript: URL or vendor: URL')

/** A fact: some values, and where they come from. */
export function fact<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ from, ...shape })
}

export const path = z.string().startsWith('/', 'an absolute path')
export const name = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, 'lower-case letters, digits, dots and dashes')
export const mode = z.string().regex(/^[0-7]{3,4}$/, 'an octal mode in quotes')
export const whole = z.int().nonnegative()
export const hex = z.string().regex(/^0x[0-9a-f]+$/, 'a number such as 0x1af4, in quotes')
