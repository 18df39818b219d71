import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { packageRoot } from '../../src/config/package-root.js'
import { faultsSchema } from '../faults/schema.js'
import { personaFolder } from '../harness.test.helper.js'
import { personaSchema } from './schema.js'

const page = readFileSync(join(packageRoot, 'docs/personas.md'), 'utf8')
const [sections = '', faults = ''] = page.split('\n## Faults\n')

/** Every property that a JSON schema names, however deep. */
function properties(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(properties)
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]) =>
    key === 'properties'
      ? [...Object.keys(value), ...Object.values(value).flatMap(properties)]
      : properties(value),
  )
}

function unnamed(names: readonly string[], text: string): string[] {
  return [...new Set(names)].filter(name => !new RegExp(`\\b${name}\\b`).test(text)).sort()
}

t.test('docs/personas.md names all that a persona can say', { buffered: true }, async t => {
  const faultNames = properties(z.toJSONSchema(faultsSchema, { io: 'input' }))
  const names = properties(z.toJSONSchema(personaSchema, { io: 'input' }))
  t.ok(names.length > 100 && faultNames.length > 16)
  t.strictSame(unnamed(faultNames, faults), [])
  t.strictSame(
    unnamed(
      names.filter(name => !faultNames.includes(name)),
      sections,
    ),
    [],
  )
})

t.test('docs/personas.md names every mutant', { buffered: true }, async t => {
  const mutants = readdirSync(join(personaFolder, 'mutants')).map(file => file.replace(/\.yaml$/, ''))
  t.ok(mutants.length >= 12)
  t.strictSame(
    mutants.filter(mutant => !sections.includes(`\n| \`${mutant}\` |`)),
    [],
  )
})

t.test('docs/personas.md names everything that the kernel makes', { buffered: true }, async t => {
  const row = (name: string): string =>
    new RegExp(`\\n\\| \`${name}\` \\|([^\\n]*)`).exec(sections)?.[1] ?? ''
  const files = readdirSync(personaFolder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.yaml') && !file.includes('windows'))
    .map(file => personaSchema.parse(parse(readFileSync(join(personaFolder, file), 'utf8'))))
    .flatMap(persona => Object.values(persona.files))
  for (const key of ['live', 'tree', 'device']) {
    const used = files.map(file => file && (file as Record<string, unknown>)[key])
    const names = [...new Set(used)].filter(name => typeof name === 'string')
    t.ok(names.length > 3, key)
    t.strictSame(
      names.filter(name => !row(key).includes(`\`${name}\``)),
      [],
      key,
    )
  }
})
