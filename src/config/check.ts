import { z } from 'zod'
import type { Mistake } from './errors.js'
import { nearest } from './nearest.js'
import type { Path, YamlFile } from './yaml.js'

const shownTextLength = 60
const secretKeys = new Set(['password', 'passphrase', 'key'])

type Issue = z.core.$ZodIssue

/** Checks a file's data against a schema. All mistakes at once, each with its place. */
export function check<T extends z.ZodType>(
  yaml: YamlFile,
  schema: T,
): { data: z.infer<T> | null; mistakes: Mistake[] } {
  const parsed = schema.safeParse(yaml.data)
  if (parsed.success) {
    return { data: parsed.data, mistakes: [] }
  }
  const mistakes = parsed.error.issues.flatMap(issue => mistakesOf(issue, [], yaml, schema))
  return { data: null, mistakes: inOrder(mistakes) }
}

/** In the order of the file, each said once. */
export function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const seen = new Set<string>()
  return [...mistakes]
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .filter(({ place, message }) => {
      const key = `${place.line}:${place.column}:${message}`
      return !seen.has(key) && seen.add(key)
    })
}

function mistakesOf(issue: Issue, base: Path, yaml: YamlFile, schema: z.ZodType): Mistake[] {
  const path = [...base, ...(issue.path as (string | number)[])]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => ({
        place: yaml.placeOfKey(path, key),
        message: unknownKey(key, knownKeys(schema, path)),
      }))
    case 'invalid_key':
      return issue.issues.map(inner => ({
        place: yaml.place(path),
        message: `"${String(path.at(-1))}": ${inner.message}`,
      }))
    case 'invalid_union':
      return unionMistakes(issue.errors, path, yaml, schema)
    default:
      return [{ place: missing(issue, yaml, path), message: describe(issue, path, yaml) }]
  }
}

/** The alternative that came furthest says what was meant. */
function unionMistakes(
  alternatives: readonly (readonly Issue[])[],
  path: Path,
  yaml: YamlFile,
  schema: z.ZodType,
): Mistake[] {
  const furthest = [...alternatives].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0] ?? []
  if (depth(furthest) === 0) {
    const expected = alternatives
      .flatMap(issues => issues.map(expectation))
      .map(text => text.replace(/^expected /, ''))
    const message = `${found(path, yaml)}expected ${[...new Set(expected)].join(' or ')}`
    return [{ place: yaml.place(path), message }]
  }
  return furthest.flatMap(issue => mistakesOf(issue, path, yaml, schema))
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map(issue => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)))
}

function describe(issue: Issue, path: Path, yaml: YamlFile): string {
  if (isMissing(issue)) {
    return `"${String(path.at(-1))}" is missing: expected ${expectation(issue).replace(/^expected /, '')}`
  }
  const wanted = expectation(issue)
  return `${found(path, yaml)}${/^(expected|a) /.test(wanted) ? wanted : `expected ${wanted}`}${typo(issue, path, yaml)}`
}

function typo(issue: Issue, path: Path, yaml: YamlFile): string {
  const near =
    issue.code === 'invalid_value' ? nearest(yaml.textAt(path) ?? '', issue.values.map(String)) : null
  return near === null ? '' : `; did you mean "${near}"?`
}

function found(path: Path, yaml: YamlFile): string {
  const name = path.at(-1)
  const label = typeof name === 'string' ? `${name}: ` : ''
  const text = secretKeys.has(String(name)) ? null : yaml.textAt(path)
  return text === null ? label : `${label}"${text.slice(0, shownTextLength)}": `
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('Invalid input')
        ? `expected ${article(String(issue.expected))}`
        : issue.message
    case 'invalid_value':
      return issue.values.length === 1
        ? String(issue.values[0])
        : `one of ${issue.values.map(String).join(', ')}`
    case 'invalid_format':
    case 'custom':
      return issue.message
    case 'too_small':
    case 'too_big':
      return issue.message.startsWith('Too')
        ? issue.message.replace(/^Too (small|big): expected /, '')
        : issue.message
    default:
      return issue.message
  }
}

function article(type: string): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a map of keys',
    record: 'a map of keys',
    array: 'a list',
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  }
  return names[type] ?? type
}

function isMissing(issue: Issue): boolean {
  return issue.input === undefined && issue.message.includes('received undefined')
}

function missing(issue: Issue, yaml: YamlFile, path: Path): ReturnType<YamlFile['place']> {
  return isMissing(issue) ? yaml.place(path.slice(0, -1)) : yaml.place(path)
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known)
  const hint = near === null ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`
  return `unknown key "${key}": ${hint}`
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
}

/** The keys that the schema knows at a path. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  let nodes: SchemaNode[] = [z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode]
  for (const step of path) {
    nodes = nodes.flatMap(alternativesOf).flatMap(node => {
      const next =
        typeof step === 'number' ? node.items : (node.properties?.[step] ?? node.additionalProperties)
      return typeof next === 'object' ? [next] : []
    })
  }
  return [...new Set(nodes.flatMap(alternativesOf).flatMap(node => Object.keys(node.properties ?? {})))]
}

function alternativesOf(node: SchemaNode): SchemaNode[] {
  return node.anyOf === undefined ? [node] : node.anyOf.flatMap(alternativesOf)
}
