import { z } from 'zod'

/** One value of a parameter of a test. */
export type ParameterValue = string | number | boolean

/** The values that one test of several has, by the parameter's name. */
export type TestParameters = Readonly<Record<string, ParameterValue>>

/** More tests out of one entry are a mistake. */
const mostVariants = 256

/** Parts of identities, of names of variables and of file names. */
const parameterName = z
  .string()
  .regex(
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    'expected a name of lower-case letters, digits and single "-", such as "block-size"',
  )

const parameterText = z
  .string()
  .regex(
    /^[A-Za-z0-9._+-]{1,64}$/,
    'expected a text of at most 64 letters, digits, ".", "_", "+" and "-", as it is part of the identity of the test',
  )

const parameterValues = z
  .array(z.union([parameterText, z.number(), z.boolean()]))
  .min(1, 'expected at least one value')
  .superRefine((values, context) => {
    values.forEach((value, index) => {
      const [first] = values
      if (typeof value !== typeof first) {
        const message = `expected values of one kind, and "${String(first)}" is ${kindOf(first)}`
        context.addIssue({ code: 'custom', message, path: [index] })
      } else if (values.indexOf(value) !== index) {
        context.addIssue({ code: 'custom', message: 'expected values that differ', path: [index] })
      }
    })
  })

function kindOf(value: ParameterValue | undefined): string {
  return typeof value === 'number' ? 'a number' : typeof value === 'boolean' ? 'true or false' : 'a text'
}

/** What a test declares of its parameters: for each, the values that it is run with. */
export const parametersSchema = z
  .record(parameterName, parameterValues)
  .refine(parameters => Object.keys(parameters).length > 0, 'expected at least one parameter')
  .refine(
    parameters =>
      Object.values(parameters).reduce((product, { length }) => product * length, 1) <= mostVariants,
    `expected at most ${mostVariants} combinations of values`,
  )

/** Every combination of the declared values, the last parameter changing fastest; one empty one without any. */
export function combinationsOf(
  declared: Readonly<Record<string, readonly ParameterValue[]>>,
): TestParameters[] {
  return Object.entries(declared).reduce<TestParameters[]>(
    (made, [name, values]) => made.flatMap(one => values.map(value => ({ ...one, [name]: value }))),
    [{}],
  )
}

/**
 * The identity of a test with these parameters: `disk/blocks[depth=32,size=1MiB]`, with the names in order, so that
 * it does not depend on the order of the manifest.
 */
export function identityWith(test: string, parameters: TestParameters): string {
  const pairs = Object.entries(parameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${String(value)}`)
  return pairs.length === 0 ? test : `${test}[${pairs.join(',')}]`
}

/** The identity of a test without its parameters. */
export function withoutParameters(test: string): string {
  return test.replace(/\[.*$/, '')
}
