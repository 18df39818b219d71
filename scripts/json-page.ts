import { z } from 'zod'
import { commands, nameOf } from '../src/cli/commands.js'
import { shapes } from '../src/cli/shapes.js'

/** The part of a JSON Schema that the page shows. */
interface Shown {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Shown>>
  readonly required?: readonly string[]
  readonly items?: Shown
  readonly additionalProperties?: unknown
  readonly anyOf?: readonly Shown[]
}

/** `docs/json.md`: what `--json` prints, made of the schemas that the tests hold it to. */
export function jsonPage(): string {
  const named = commands.flatMap(command =>
    command.prints.kind === 'result' ? command.prints.shapes.map(name => ({ name, command })) : [],
  )
  return `${[
    '<!-- Made by scripts/generate-docs.ts from src/cli/shapes.ts: change it there. -->',
    '# JSON',
    '`--json` prints one JSON document on standard output instead of text; warnings and errors stay on standard error, and the exit code is the same. `--quiet` prints less: what a script iterates over, or what somebody has to look at. With both, `--json` counts.',
    'Fields are added, and none is removed or gets another meaning, within a major version. Where a table says "and more", other fields are there that may change. The same as JSON Schema: [schemas/output.schema.json](../schemas/output.schema.json), which `guestcert schema output` prints.',
    '`guestcert run`, `demo` and `resume` print the events of the journal with `--json`, one a line.',
    '`x[].y` is the field `y` of each element of the list `x`; a field in brackets may be absent.',
    ...named.map(({ name, command }) => section(name, nameOf(command))),
  ].join('\n\n')}\n`
}

function section(name: string, command: string): string {
  const shape = shapes[name]
  if (shape === undefined) throw new Error(`"guestcert ${command}" has no shape "${name}"`)
  const schema = z.toJSONSchema(shape, { io: 'input' }) as Shown
  const title = `## guestcert ${name}`
  if (name === 'report' || name === 'merge') {
    return `${title}\n\nThe same as \`summary.json\`: [schemas/summary.schema.json](../schemas/summary.schema.json).`
  }
  const rows = fieldsOf(schema, '').map(
    ({ path, type, text }) => `| \`${path}\` | ${type.replaceAll('|', '\\|')} | ${text} |`,
  )
  return [title, ['| Field | Type | |', '| --- | --- | --- |', ...rows].join('\n')].join('\n\n')
}

interface Field {
  readonly path: string
  readonly type: string
  readonly text: string
}

function fieldsOf(schema: Shown, path: string): readonly Field[] {
  const own = objectIn(schema)
  if (own === null) return []
  const { schema: object, suffix } = own
  const required = new Set(object.required ?? [])
  return Object.entries(object.properties ?? {}).flatMap(([key, value]) => {
    const at = `${path}${suffix}${path === '' && suffix === '' ? '' : '.'}${key}`
    const shown = required.has(key) ? at : `[${at}]`
    return [{ path: shown, type: typeOf(value), text: value.description ?? '' }, ...fieldsOf(value, at)]
  })
}

/** The object whose fields are shown: itself, or each element of a list. */
function objectIn(schema: Shown): { readonly schema: Shown; readonly suffix: string } | null {
  const plain = schema.anyOf?.find(({ type }) => type !== 'null') ?? schema
  if (plain.properties !== undefined) return { schema: plain, suffix: '' }
  return plain.items?.properties === undefined ? null : { schema: plain.items, suffix: '[]' }
}

function typeOf(schema: Shown): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(one => JSON.stringify(one)).join(' | ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`
  if (schema.type === 'object') return isOpen(schema) ? 'object, and more' : 'object'
  return [schema.type ?? 'any'].flat().join(' or ')
}

function isOpen({ additionalProperties }: Shown): boolean {
  return typeof additionalProperties === 'object'
}
