import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { check, inOrder } from '../config/check.js'
import { ConfigError, type Mistake, UsageError } from '../config/errors.js'
import { packageRoot } from '../config/package-root.js'
import { combinationsOf, identityWith, type TestParameters, withoutParameters } from '../config/parameters.js'
import { resolvePath } from '../config/references.js'
import { type AppliesFile, type SuiteFile, suiteSchema, type TestFile } from '../config/suite-schema.js'
import { parseDurationMs } from '../config/units.js'
import { readYaml, type YamlFile } from '../config/yaml.js'
import { ownSuite } from './boot.js'
import { compileModules, type Sources } from './modules/compile.js'
import { type TextFile, unreadableScripts } from './script-text.js'
import type { ModuleCode, Proof, Suite, SuiteFileEntry, SuiteTest } from './suite.js'
import type { ExitCodes } from './types.js'

const manifestName = 'suite.yaml'
/** Linux reads no more of a `#!` line. */
const longestInterpreterLine = 256
const executableBits = 0o111

/** The suites that ship with the program. */
export const builtinSuites: string = join(packageRoot, 'suites')

/** The shell library that travels with every suite. */
export const shellLibrary: string = join(builtinSuites, 'lib')

/**
 * Reads the suites that a lab names: `builtin`, a suite's folder, or a folder of suites.
 * Relative paths start at the lab file (or at the working directory without one).
 * Throws one ConfigError with every mistake in all manifests.
 */
export async function loadSuites(refs: readonly string[], labFile: string | null): Promise<Suite[]> {
  const base = labFile === null ? process.cwd() : dirname(labFile)
  const folders: string[] = []
  for (const ref of refs) {
    folders.push(...(await foldersOf(ref === 'builtin' ? builtinSuites : resolvePath(ref, base), ref)))
  }
  const library = await textsOf(shellLibrary, await filesOf(shellLibrary))
  const mistakes: Mistake[] = unreadableScripts(library, new Set())
  const suites: Suite[] = []
  for (const folder of new Set(folders)) {
    const suite = await loadSuite(folder, base, mistakes)
    const twin = suites.find(other => other.id === suite?.id)
    if (suite !== null && twin !== undefined) {
      const place = { file: join(folder, manifestName), line: 1, column: 1 }
      mistakes.push({ place, message: `the suite "${suite.id}" is also in ${twin.folder}` })
    } else if (suite !== null) {
      suites.push(suite)
    }
  }
  if (mistakes.length > 0) {
    throw new ConfigError(mistakes)
  }
  return suites
}

async function foldersOf(path: string, ref: string): Promise<string[]> {
  if (existsSync(join(path, manifestName))) {
    return [path]
  }
  const entries = await readdir(path, { withFileTypes: true }).catch(() => null)
  const folders = (entries ?? [])
    .filter(entry => entry.isDirectory() && existsSync(join(path, entry.name, manifestName)))
    .map(entry => join(path, entry.name))
  if (folders.length === 0) {
    throw new UsageError(
      `"${ref}" is not a suite: there is no ${manifestName} in ${path} or in a folder of it`,
    )
  }
  return folders.sort()
}

async function loadSuite(folder: string, base: string, mistakes: Mistake[]): Promise<Suite | null> {
  const yaml = await readYaml(join(folder, manifestName))
  const { data, mistakes: found } = check(yaml, suiteSchema)
  if (data === null) {
    mistakes.push(...found)
    return null
  }
  const own: Mistake[] = []
  if (data.suite === ownSuite) {
    const message = `the name "${ownSuite}" is reserved for what the program itself finds out`
    own.push({ place: yaml.place(['suite']), message })
  }
  const tests: SuiteTest[] = []
  data.tests.forEach((test, index) => {
    tests.push(...testsOf(data, test, index, yaml, own, tests))
  })
  const files = await filesOf(folder)
  const known = new Set(files.map(({ path }) => path))
  data.tests.forEach((test, index) => {
    const key = test.script === undefined ? 'module' : 'script'
    const name = test.script ?? test.module ?? ''
    if (!known.has(name)) {
      own.push({ place: yaml.place(['tests', index, key]), message: `"${name}" is not a file of this suite` })
    }
  })
  mistakes.push(...inOrder(own))
  const scripts = new Set(data.tests.flatMap(({ script }) => script ?? []))
  mistakes.push(...unreadableScripts(await textsOf(folder, files), scripts))
  const built = builtModules(folder, files)
  const named = [...new Set(data.tests.flatMap(({ module }) => module ?? []))]
  const entries = named.filter(module => !built.has(module))
  const request = { folder, entries, files: files.map(({ path }) => path) }
  const sources = entries.length === 0 ? {} : await compileModules(request, mistakes)
  const modules = new Map<string, ModuleCode>(
    named.map(entry => {
      const path = built.get(entry)
      return [
        entry,
        path === undefined ? { kind: 'sources', folder, entry, sources } : { kind: 'file', path },
      ]
    }),
  )
  return {
    id: data.suite,
    version: data.version,
    title: data.title,
    folder,
    manifest: shownPath(folder, base),
    digest: await digestOf(files, named.length === 0 ? new Map() : built, sources),
    applies: data.applies ?? null,
    files,
    modules,
    tests,
  }
}

function shownPath(folder: string, base: string): string {
  const inPackage = relative(packageRoot, folder)
  const shown = inPackage.startsWith('..') ? relative(base, folder) : inPackage
  return join(shown, manifestName).split(sep).join('/')
}

/** The tests that one entry declares: one for each combination of its parameters. `above` are those before it. */
function testsOf(
  suite: SuiteFile,
  test: TestFile,
  index: number,
  yaml: YamlFile,
  mistakes: Mistake[],
  above: readonly SuiteTest[],
): SuiteTest[] {
  const path = ['tests', index]
  if (suite.tests.findIndex(other => other.id === test.id) !== index) {
    mistakes.push({
      place: yaml.place([...path, 'id']),
      message: `a test named "${test.id}" stands above already`,
    })
  }
  const after = (test.after ?? []).flatMap((name, position) => {
    const full = `${suite.suite}/${name}`
    const found = above.filter(other => other.id === full || withoutParameters(other.id) === full)
    if (found.length === 0) {
      const message = `"${name}" is not a test above this one`
      mistakes.push({ place: yaml.place([...path, 'after', position]), message })
    }
    return found.map(({ id }) => id)
  })
  const { line } = yaml.place(path)
  return combinationsOf(test.parameters ?? {}).map(parameters => testOf(suite, test, parameters, after, line))
}

function testOf(
  suite: SuiteFile,
  test: TestFile,
  parameters: TestParameters,
  after: readonly string[],
  line: number,
): SuiteTest {
  return {
    id: identityWith(`${suite.suite}/${test.id}`, parameters),
    title: test.title,
    why: test.why ?? null,
    requirements: test.requirements,
    level: test.level,
    protocol: test.module === undefined ? (test.protocol ?? 'exit') : 'module',
    file: test.script ?? test.module ?? '',
    line,
    ...(test.parameters === undefined ? {} : { parameters }),
    applies: test.applies ?? null,
    limitMs: test.limit === undefined ? null : parseDurationMs(test.limit),
    isolation: test.isolation ?? 'shared',
    ...(test.parallel === undefined ? {} : { parallel: true }),
    after,
    tags: test.tags ?? [],
    needs: {
      host: test.needs?.host ?? [],
      guest: test.needs?.guest ?? [],
      configuration: test.needs?.configuration ?? [],
      locks: test.needs?.locks ?? [],
      ...(test.needs?.peer === undefined ? {} : { peer: peerNeed(test.needs.peer) }),
    },
    measures: test.measures ?? {},
    ...(test.codes === undefined ? {} : { codes: codesOf(test.codes) }),
    proof: test.proof === undefined ? null : proofOf(test.proof),
  }
}

function peerNeed(peer: NonNullable<NonNullable<TestFile['needs']>['peer']>): Pick<AppliesFile, 'guest'> {
  return peer === true ? {} : { guest: peer }
}

function proofOf({ passesOn, mutants, real = {} }: NonNullable<TestFile['proof']>): Proof {
  return {
    passesOn,
    mutants: mutants.filter(mutant => typeof mutant === 'string'),
    breakBoot: mutants.flatMap(mutant => (typeof mutant === 'string' ? [] : Object.keys(mutant))),
    real,
  }
}

function codesOf({ skip = [], error = [] }: NonNullable<TestFile['codes']>): ExitCodes {
  return { skip: [skip].flat(), error: [error].flat() }
}

async function filesOf(folder: string): Promise<SuiteFileEntry[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const paths = entries
    .filter(entry => entry.isFile() && !entry.name.includes('.test.'))
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  return Promise.all(
    paths.sort().map(async path => {
      const absolute = join(folder, path)
      const [content, { mode }] = await Promise.all([readFile(absolute), stat(absolute)])
      const executable = (mode & executableBits) !== 0
      return { path, sha256: sha256(content), executable, interpreter: interpreterOf(content) }
    }),
  )
}

async function textsOf(folder: string, files: readonly SuiteFileEntry[]): Promise<TextFile[]> {
  return Promise.all(
    files.map(async ({ path, interpreter }) => {
      const absolute = join(folder, path)
      return { shown: absolute, path, interpreter, content: await readFile(absolute) }
    }),
  )
}

/** What `#!` names: a script is handed to it, since the guest's scratch folder may forbid to execute. */
function interpreterOf(content: Buffer): string[] {
  const [, line] =
    /^#!\s*(\S[^\r\n]*)/.exec(content.subarray(0, longestInterpreterLine).toString('latin1')) ?? []
  return line === undefined ? [] : line.trim().split(/\s+/)
}

/** Shipped modules, and what they import, run as the JavaScript that the build made of them. */
function builtModules(folder: string, files: readonly SuiteFileEntry[]): Map<string, string> {
  const built = new Map<string, string>()
  const inPackage = relative(packageRoot, folder)
  if (inPackage.startsWith('..')) {
    return built
  }
  for (const { path } of files.filter(file => /\.ts$/.test(file.path))) {
    const compiled = resolve(packageRoot, 'dist', inPackage, path.replace(/\.ts$/, '.js'))
    if (existsSync(compiled)) {
      built.set(path, compiled)
    }
  }
  return built
}

async function digestOf(
  files: readonly SuiteFileEntry[],
  built: ReadonlyMap<string, string>,
  sources: Sources,
): Promise<string> {
  const lines = files.map(({ path, sha256: digest }) => `${digest}  ${path}`)
  for (const [module, path] of built) {
    lines.push(`${sha256(await readFile(path))}  compiled ${module}`)
  }
  for (const [module, code] of Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`${sha256(Buffer.from(code))}  compiled ${module}`)
  }
  for (const { path, sha256: digest } of await filesOf(shellLibrary).catch(() => [])) {
    lines.push(`${digest}  lib ${path}`)
  }
  return sha256(Buffer.from(`${lines.join('\n')}\n`))
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
