import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../config/package-root.js'
import { runPwsh } from './pwsh.test.fixture.js'

/** The versions of Windows PowerShell whose commands were recorded. */
const versions = ['2.0', '3.0', '4.0', '5.1'] as const
type Version = (typeof versions)[number]
type Since = 'all' | 1 | readonly Version[]

interface Commands {
  readonly commands: Readonly<
    Record<
      string,
      { readonly versions: 'all' | readonly Version[]; readonly parameters: Readonly<Record<string, Since>> }
    >
  >
  readonly aliases: readonly string[]
}

const recorded = JSON.parse(
  readFileSync(join(packageRoot, 'fixtures/powershell/commands.json'), 'utf8'),
) as Commands
const commands = new Map(
  Object.entries(recorded.commands).map(([name, { versions, parameters }]) => [
    name.toLowerCase(),
    {
      versions,
      parameters: new Map(Object.entries(parameters).map(([it, since]) => [it.toLowerCase(), since])),
    },
  ]),
)
const aliases = new Set(recorded.aliases)
/** Which every command of 2.0 has (about_CommonParameters). */
const common = new Set([
  'verbose',
  'debug',
  'erroraction',
  'errorvariable',
  'warningaction',
  'warningvariable',
  'outvariable',
  'outbuffer',
])

interface Parsed {
  readonly errors: readonly { readonly line: number; readonly what: string }[]
  readonly commands: readonly {
    readonly name: string
    readonly line: number
    readonly least: number
    readonly most: number
    readonly parameters: readonly string[]
  }[]
  readonly functions: readonly { readonly name: string; readonly line: number }[]
  readonly newer: readonly {
    readonly since: string
    readonly what: string
    readonly line: number
    readonly least: number
  }[]
}

/**
 * What in each text not every Windows PowerShell from 2.0 to 5.1 has, and which names in it would mean something else,
 * with the line: as the parser of a real PowerShell takes them apart.
 */
export async function foreignToOlder(
  texts: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const script = join(packageRoot, 'fixtures/powershell/parse.ps1')
  const { stdout, stderr } = await runPwsh(['-NoLogo', '-NoProfile', '-File', script], {
    stdin: JSON.stringify(texts),
  })
  if (stderr.text !== '') {
    throw new Error(stderr.text)
  }
  const parsed = JSON.parse(stdout.text) as Readonly<Record<string, Parsed>>
  return Object.fromEntries(Object.entries(parsed).map(([name, text]) => [name, findings(text)]))
}

function findings({ errors, commands, functions, newer }: Parsed): string[] {
  const own = new Set(functions.map(({ name }) => name.toLowerCase()))
  return [
    ...errors.map(({ line, what }) => `line ${line}: ${what}`),
    ...newer
      .filter(({ since, least }) => Number.parseFloat(since) > least)
      .map(({ since, what, line }) => `line ${line}: ${what} came with ${since}`),
    ...functions.flatMap(({ name, line }) =>
      aliases.has(name.toLowerCase())
        ? [`line ${line}: ${name} is an alias`]
        : /^[A-Z][a-z]*-[A-Z]/.test(name)
          ? []
          : [`line ${line}: ${name} has no prefix and hyphen`],
    ),
    ...commands.filter(({ name }) => !own.has(name.toLowerCase())).flatMap(lacking),
  ]
}

function lacking({ name, line, least, most, parameters }: Parsed['commands'][number]): string[] {
  const known = commands.get(name.toLowerCase())
  if (known === undefined) {
    return [`line ${line}: ${name} is ${aliases.has(name.toLowerCase()) ? 'an alias' : 'unknown'}`]
  }
  const reached = versions.filter(version => {
    const major = Number.parseInt(version, 10)
    return major >= least && major <= most
  })
  const missing = (since: Since): Version[] =>
    since === 'all' || since === 1 ? [] : reached.filter(version => !since.includes(version))
  const without = missing(known.versions)
  if (without.length > 0) {
    return [`line ${line}: ${name} is not in ${without.join(', ')}`]
  }
  return parameters.flatMap(parameter => {
    const since = common.has(parameter.toLowerCase()) ? 'all' : known.parameters.get(parameter.toLowerCase())
    const lacks = since === undefined ? versions : missing(since)
    return lacks.length === 0 ? [] : [`line ${line}: ${name} -${parameter} is not in ${lacks.join(', ')}`]
  })
}
