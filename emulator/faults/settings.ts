import { z } from 'zod'

/** A regular expression, as text. */
export const pattern = z
  .string()
  .refine(text => {
    try {
      new RegExp(text)
      return true
    } catch {
      return false
    }
  }, 'a regular expression')
  .meta({ format: 'regex' })

/** A fault that is told to happen in one of two ways. JSON Schema says so with `oneOf`, which is how it is published. */
export function eitherOf<Shape extends z.ZodRawShape>(
  shape: Shape,
  one: keyof Shape & string,
  other: keyof Shape & string,
): z.ZodObject<Shape, z.core.$strict> {
  return z
    .strictObject(shape)
    .refine(
      given => (Reflect.get(given, one) === undefined) !== (Reflect.get(given, other) === undefined),
      `either "${one}" or "${other}"`,
    )
    .meta({ oneOf: [{ required: [one] }, { required: [other] }] })
}
