import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Breakage, breakagesFile, breakSource, readBreakages } from './breakages.js'
import { endOf, stopAll } from './test-process.js'

/**
 * Breaks the program on purpose, one place at a time, in a copy of its build, and runs the tests that must notice.
 * One that no test notices fails, as does one whose place is no longer found. One test file runs at a time: what fails
 * because another one is in its way would notice everything.
 * `node dist/scripts/seeded-breakages.js [FILTER…]`
 */
const filters = process.argv.slice(2)
const root = process.cwd()
/** Of one test file, in time of a quiet machine. */
const testLimitMs = 120_000
/** What the compiled program finds beside its build. */
const besideBuild = ['node_modules', 'suites', 'fixtures', 'schemas', 'docs', 'README.md', 'package.json']

type Outcome = 'passed' | 'failed' | 'hung'

interface Ran {
  readonly outcome: Outcome
  /** What it printed. */
  readonly output: string
}

interface Finding {
  readonly isCaught: boolean
  readonly what: string
}

async function makeCopy(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await cp(join(root, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: path => !/\.(d\.ts|map)$/.test(path),
  })
  for (const name of besideBuild) {
    // Tests must not write into what is shared: copies are cheap where they might.
    if (name === 'package.json') await cp(join(root, name), join(folder, name))
    else await symlink(join(root, name), join(folder, name))
  }
}

/** Runs a test file of the copy, with temporary files and a cache that are the copy's too. */
async function runTest(copy: string, test: string): Promise<Ran> {
  const temporary = join(copy, 'tmp')
  await mkdir(temporary, { recursive: true })
  const child = spawn(process.execPath, [join(copy, 'dist', `${test}.test.js`)], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group, so that a file that is stopped leaves nothing behind.
    detached: true,
    // The limit is kept here: tap would give a test half a minute.
    env: { ...process.env, TAP_TIMEOUT: '0', TMPDIR: temporary, GUESTCERT_CACHE: join(temporary, 'cache') },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const { code, isLate } = await endOf(child, testLimitMs)
  await rm(temporary, { recursive: true, force: true })
  return { outcome: isLate ? 'hung' : code === 0 ? 'passed' : 'failed', output }
}

/** Breaks the copy, runs the entry's tests until one notices, and mends it again. */
async function tryBreakage(copy: string, breakage: Breakage): Promise<Finding> {
  const { file, tests } = breakage
  const broken = breakSource(await readFile(join(root, file), 'utf8'), breakage)
  if ('why' in broken) return { isCaught: false, what: broken.why }
  const compiled = join(copy, 'dist', file.replace(/\.ts$/, '.js'))
  const whole = await readFile(compiled)
  try {
    await writeFile(compiled, broken.compiled)
    for (const test of tests) {
      const { outcome } = await runTest(copy, test)
      if (outcome === 'failed') return { isCaught: true, what: `caught by ${test}` }
      if (outcome === 'hung') return { isCaught: false, what: `${test} did not end` }
    }
    return { isCaught: false, what: `SURVIVED ${tests.join(', ')}` }
  } finally {
    await writeFile(compiled, whole)
  }
}

/** A test that fails by itself notices nothing: each must pass on the sound build first. How many do not. */
async function countUnsound(copy: string, breakages: readonly Breakage[]): Promise<number> {
  let unsound = 0
  for (const test of new Set(breakages.flatMap(({ tests }) => tests))) {
    const { outcome, output } = await runTest(copy, test)
    if (outcome !== 'passed') {
      unsound += 1
      print(`FAIL on the sound build: ${test} ${outcome}\n${output.replace(/^/gm, '     ')}`)
    }
  }
  return unsound
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopAll()
    process.exit(130)
  })
}

const all = await readBreakages(join(root, breakagesFile))
const chosen = all.filter(
  ({ breaks, file }) => filters.length === 0 || filters.some(text => `${breaks} ${file}`.includes(text)),
)
const startedAt = performance.now()
const secondsSoFar = (): string => ((performance.now() - startedAt) / 1000).toFixed(0)
const copy = await mkdtemp(join(tmpdir(), 'guestcert-breakages-'))
let [caught, failed] = [0, 0]
try {
  await makeCopy(copy)
  failed += await countUnsound(copy, chosen)
  print(`${secondsSoFar()} s: the tests were tried on the sound build`)
  for (const breakage of failed > 0 ? [] : chosen) {
    const { isCaught, what } = await tryBreakage(copy, breakage)
    caught += isCaught ? 1 : 0
    failed += isCaught ? 0 : 1
    print(`${isCaught ? 'ok  ' : 'FAIL'} ${breakage.breaks} (${basename(breakage.file)}): ${what}`)
  }
} finally {
  await rm(copy, { recursive: true, force: true })
}
print(`${chosen.length} breakages, ${secondsSoFar()} s`)
print(`${caught} passed, ${failed} failed`)
process.exitCode = failed === 0 && chosen.length > 0 ? 0 : 1
