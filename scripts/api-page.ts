import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../src/config/package-root.js'

interface Part {
  readonly title: string
  readonly file: string
  readonly type: string
  readonly examples: string
  readonly prefix: string
}

const parts: readonly Part[] = [
  {
    title: 'What a test is given',
    file: 'test.ts',
    type: 'TestContext',
    examples: 'contextExamples',
    prefix: '',
  },
  { title: 'The guest', file: 'guest.ts', type: 'Guest', examples: 'guestExamples', prefix: 'guest.' },
  {
    title: 'A Windows guest',
    file: 'windows.ts',
    type: 'WindowsGuest',
    examples: 'windowsExamples',
    prefix: 'guest.',
  },
  { title: 'The host', file: 'host.ts', type: 'Host', examples: 'hostExamples', prefix: 'host.' },
  {
    title: 'Checks',
    file: 'expect.ts',
    type: 'Expectation',
    examples: 'expectExamples',
    prefix: 'expect(…).',
  },
  {
    title: 'Checks of what takes time',
    file: 'expect.ts',
    type: 'Expect',
    examples: 'pollExamples',
    prefix: 'expect.',
  },
]

/** `docs/api.md`: what a test module may use, from the comments in `src/api`, with an example for each. */
export async function apiPage(): Promise<string> {
  const examples = await readFile(join(packageRoot, 'scripts/api-examples.ts'), 'utf8')
  const pages = await Promise.all(parts.map(part => partPage(part, examples)))
  return [
    '# guestcert/api',
    '',
    '<!-- Made by "npm run generate" from src/api and scripts/api-examples.ts: edit those. -->',
    '',
    'All that a test module may import. [Writing tests](writing-tests.md) says how modules run and when they pass. Every',
    'call to guest or host must be awaited. Durations are numbers of ms, or texts such as `30s`.',
    ...pages.flat(),
    '',
  ].join('\n')
}

async function partPage({ title, file, type, examples, prefix }: Part, text: string): Promise<string[]> {
  const source = await readFile(join(packageRoot, 'src/api', file), 'utf8')
  const body = blockAfter(source, new RegExp(`export interface ${type}\\b[^{]*\\{\\n`))
  const names = [
    ...blockAfter(text, new RegExp(`export const ${examples}\\b[^\\n]*= \\{\\n`)).matchAll(/^ {2}(\w+): /gm),
  ]
  return [
    '',
    `## ${title}`,
    ...names.flatMap(([, name = '']) => entry(name, prefix, body, exampleOf(text, examples, name))),
  ]
}

function entry(name: string, prefix: string, body: string, example: string): string[] {
  const member = new RegExp(`((?:  /\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?)  (?:readonly )?${name}(?=[(:?])`).exec(
    body,
  )
  const said = (member?.[1] ?? '')
    .replace(/^ *\/\*\*|\*\/\s*$/g, '')
    .replace(/\n *\* ?/g, '\n')
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .trim()
  return ['', `### \`${prefix}${name}\``, '', ...(said === '' ? [] : [said, '']), '```ts', example, '```']
}

/** The body of a function of the examples, or its one expression. */
function exampleOf(text: string, table: string, name: string): string {
  const rows = blockAfter(text, new RegExp(`export const ${table}\\b[^\\n]*= \\{\\n`))
  const start = rows.search(new RegExp(`^  ${name}: `, 'm'))
  const rest = rows.slice(start)
  const next = rest.slice(1).search(/^ {2}\w+: /m)
  const row = (next === -1 ? rest : rest.slice(0, next + 1)).trimEnd().replace(/,$/, '')
  const code = row.slice(row.indexOf('=>') + 2)
  const isBody = /^ \{\n/.test(code)
  const lines = isBody ? code.split('\n').slice(1, -1) : code.trim().split('\n')
  return lines.map(line => line.replace(/^ {4}/, '').replaceAll('windows.', 'guest.')).join('\n')
}

function blockAfter(text: string, opening: RegExp): string {
  const found = opening.exec(text)
  if (found === null) {
    throw new Error(`nothing in the source is ${opening}`)
  }
  const from = found.index + found[0].length
  return text.slice(from, text.indexOf('\n}', from) + 1)
}
