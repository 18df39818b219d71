import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import pLimit from 'p-limit'
import { type Breakage, breakagesFile, breakSource, readBreakages } from './breakages.js'

/**
 * Breaks the program on purpose, one place at a time, in a copy of its build, and runs the tests that must notice.
 * One that no test notices fails, as does one whose place is no longer found.
 * `node dist/scripts/seeded-breakages.js [FILTER…]`
 */
const filters = process.argv.slice(2)
const root = process.cwd()
/** Copies of the build, each used by one breakage at a time. */
const slots = 2
/** One test file, unless the entry says otherwise. */
const testLimitMs = 300_000
/** What the compiled program finds beside its build. */
const besideBuild = ['node_modules', 'suites', 'fixtures', 'schemas', 'docs', 'README.md', 'package.json']

type Outcome = 'passed' | 'failed' | 'hung'

interface Finding {
  readonly breakage: Breakage
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

async function runTest(copy: string, test: string): Promise<Outcome> {
  const child = spawn(process.execPath, [join(copy, 'dist', `${test}.test.js`)], {
    cwd: copy,
    stdio: 'ignore',
    // A process group, so that a file that is stopped leaves nothing behind.
    detached: true,
    // The limit is kept here: tap would give a test half a minute.
    env: { ...process.env, TAP_TIMEOUT: '0' },
  })
  return endOf(child)
}

async function endOf(child: ChildProcess): Promise<Outcome> {
  let isHung = false
  const timer = setTimeout(() => {
    isHung = true
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, testLimitMs)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return isHung ? 'hung' : code === 0 ? 'passed' : 'failed'
}

/** Breaks the copy, runs the entry's tests until one notices, and mends it again. */
async function tryBreakage(copy: string, breakage: Breakage): Promise<Finding> {
  const { file, tests } = breakage
  const broken = breakSource(await readFile(join(root, file), 'utf8'), breakage)
  if ('why' in broken) return { breakage, isCaught: false, what: broken.why }
  const compiled = join(copy, 'dist', file.replace(/\.ts$/, '.js'))
  const whole = await readFile(compiled)
  try {
    await writeFile(compiled, broken.compiled)
    for (const test of tests) {
      const outcome = await runTest(copy, test)
      if (outcome === 'failed') return { breakage, isCaught: true, what: `caught by ${test}` }
      if (outcome === 'hung') return { breakage, isCaught: false, what: `${test} did not end` }
    }
    return { breakage, isCaught: false, what: `SURVIVED ${tests.join(', ')}` }
  } finally {
    await writeFile(compiled, whole)
  }
}

/** A test that fails by itself notices nothing: each must pass on the sound build first. */
async function unsoundTests(copies: readonly string[], breakages: readonly Breakage[]): Promise<string[]> {
  const tests = [...new Set(breakages.flatMap(({ tests }) => tests))]
  const outcomes = await eachOn(copies, tests, async (copy, test) => ({
    test,
    outcome: await runTest(copy, test),
  }))
  return outcomes
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ test, outcome }) => `${test} ${outcome}`)
}

/** Works through a list with as many workers as there are copies; no copy is used by two at once. */
async function eachOn<T, R>(
  copies: readonly string[],
  items: readonly T[],
  work: (copy: string, item: T) => Promise<R>,
): Promise<R[]> {
  const free = [...copies]
  const limit = pLimit(copies.length)
  return Promise.all(
    items.map(item =>
      limit(async () => {
        const copy = free.pop() ?? ''
        try {
          return await work(copy, item)
        } finally {
          free.push(copy)
        }
      }),
    ),
  )
}

const all = await readBreakages(join(root, breakagesFile))
const chosen = all.filter(
  ({ breaks, file }) => filters.length === 0 || filters.some(text => `${breaks} ${file}`.includes(text)),
)
const startedAt = performance.now()
const folder = await mkdtemp(join(tmpdir(), 'guestcert-breakages-'))
let failed = 0
try {
  const copies = Array.from({ length: slots }, (_, index) => join(folder, String(index)))
  await Promise.all(copies.map(makeCopy))
  const unsound = await unsoundTests(copies, chosen)
  for (const what of unsound) process.stdout.write(`FAIL on the sound build: ${what}\n`)
  failed += unsound.length
  const findings =
    unsound.length > 0
      ? []
      : await eachOn(copies, chosen, async (copy, breakage) => {
          const finding = await tryBreakage(copy, breakage)
          const word = finding.isCaught ? 'ok  ' : 'FAIL'
          process.stdout.write(`${word} ${breakage.breaks} (${basename(breakage.file)}): ${finding.what}\n`)
          return finding
        })
  const caught = findings.filter(({ isCaught }) => isCaught).length
  failed += findings.length - caught
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  process.stdout.write(`${chosen.length} breakages, ${seconds} s\n${caught} passed, ${failed} failed\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = failed === 0 && chosen.length > 0 ? 0 : 1
