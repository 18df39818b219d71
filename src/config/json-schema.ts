import type { z } from 'zod'
import type { Mistake } from './errors.js'
import type { Path, YamlFile } from './yaml.js'

/** A JSON Schema, as far as it is read here beside zod. */
export interface Definition {
  readonly format?: string
  readonly properties?: Readonly<Record<string, Definition>>
  readonly anyOf?: readonly Definition[]
  /** Keys of which exactly one is required. */
  readonly oneOf?: readonly { readonly required: readonly string[] }[]
}

/** The part of a schema that zod reads as it is meant: it takes each branch of `oneOf` for a whole value. */
export function forZod(definition: Definition): z.core.JSONSchema.JSONSchema {
  const text = JSON.stringify(definition, (key, value: unknown) => (key === 'oneOf' ? undefined : value))
  return JSON.parse(text) as z.core.JSONSchema.JSONSchema
}

/** The mistakes in what zod found to fit: texts that are no regular expression, and keys of which one is required. */
export function beyondZod(definition: Definition, value: unknown, path: Path, yaml: YamlFile): Mistake[] {
  if (typeof value === 'string') {
    const fits = definition.format !== 'regex' || isPattern(value)
    const message = `${String(path.at(-1))}: "${value}": expected a regular expression`
    return fits ? [] : [{ place: yaml.place(path), message }]
  }
  if (typeof value !== 'object' || value === null) {
    return []
  }
  const { properties, anyOf = [], oneOf = [] } = definition
  if (properties === undefined) {
    return anyOf.filter(one => one.properties !== undefined).flatMap(one => beyondZod(one, value, path, yaml))
  }
  const given = new Map(Object.entries(value))
  const inside = Object.entries(properties).flatMap(([key, inner]) =>
    beyondZod(inner, given.get(key), [...path, key], yaml),
  )
  const met = oneOf.filter(({ required }) => required.every(key => given.has(key)))
  if (oneOf.length === 0 || met.length === 1) {
    return inside
  }
  const keys = oneOf.map(({ required }) => required.map(key => `"${key}"`).join(' with '))
  const message = `${String(path.at(-1))}: expected ${met.length === 0 ? '' : 'only one of '}${keys.join(' or ')}`
  return [...inside, { place: yaml.place(path), message }]
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}
