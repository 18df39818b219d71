import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Parser } from 'tap-parser'
import { TapReport } from './tap-report.js'

/**
 * Runs compiled tests and closes with `N passed, N failed`.
 * `node dist/scripts/run-tests.js [--real] [FILTER…]`
 */
const isReal = process.argv[2] === '--real'
const filters = process.argv.slice(isReal ? 3 : 2)
const root = process.cwd()
/** Unit tests share the cores. */
const unitJobs = '3'
const unitLimitSec = '120'
/** A real test file that hangs in spite of its own limits. */
const realLimitMs = 3_600_000
/**
 * Real components are few and heavy: one file at a time. But a Xen under emulation keeps one core busy for minutes, and
 * shares nothing with the others: it has a lane of its own.
 */
const lanes: readonly ((name: string) => boolean)[] = [name => isXen(name), name => !isXen(name)]

function isXen(name: string): boolean {
  return /\bxen\b/.test(name)
}

async function testFiles(): Promise<string[]> {
  const found: string[] = []
  for (const folder of ['dist/src', 'dist/suites', 'dist/test', 'dist/scripts']) {
    const entries = await readdir(join(root, folder), { recursive: true }).catch(() => [])
    found.push(...entries.filter(name => name.endsWith('.test.js')).map(name => join(folder, name)))
  }
  const ofKind = found.filter(name => name.endsWith('.real.test.js') === isReal)
  return ofKind.filter(name => filters.length === 0 || filters.some(filter => name.includes(filter))).sort()
}

/** Runs files under tap's own runner; true when it ended well. */
async function runUnit(files: readonly string[], report: TapReport): Promise<boolean> {
  const options = ['--disable-coverage', '--allow-empty-coverage', '--reporter=tap', `--jobs=${unitJobs}`]
  const tap = spawn(
    process.execPath,
    ['node_modules/.bin/tap', 'run', ...options, `--timeout=${unitLimitSec}`, ...files],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const parser = new Parser()
  parser.on('child', file => report.watchFile(file, file.name))
  tap.stdout.pipe(parser)
  const ended = once(parser, 'complete')
  const [code] = (await once(tap, 'close')) as [number | null]
  await ended
  return code === 0
}

/** Runs files one after the other, each as the program that it is; true when all ended well. */
async function runLane(files: readonly string[], report: TapReport): Promise<boolean> {
  let isWell = true
  for (const file of files) {
    const test = spawn(process.execPath, [file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: realLimitMs,
      // tap gives a file half a minute unless it is told otherwise.
      env: { ...process.env, TAP_TIMEOUT: String(realLimitMs / 1000) },
    })
    const parser = new Parser()
    report.watchFile(parser, file)
    test.stdout.pipe(parser)
    const ended = once(parser, 'complete')
    const [code] = (await once(test, 'close')) as [number | null]
    await ended
    isWell &&= code === 0
  }
  return isWell
}

const files = await testFiles()
if (files.length === 0) {
  process.stdout.write('no test file fits\n')
  process.exit(1)
}
const report = new TapReport()
const started = performance.now()
const well = isReal
  ? await Promise.all(lanes.map(isOfLane => runLane(files.filter(isOfLane), report)))
  : [await runUnit(files, report)]
const isWell = well.every(Boolean)
const seconds = ((performance.now() - started) / 1000).toFixed(1)
process.stdout.write(`${files.length} files, ${seconds} s\n`)
const { passed, skipped } = report
let { failed } = report
// A file that crashed counts even when none of its points failed.
if (!isWell && failed === 0) {
  failed = 1
}
// In CI every component is there: what is skipped there is missing from .ci/run.
if (process.env.CI === 'true' && skipped > 0) {
  failed += skipped
}
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`)
process.exitCode = isWell && failed === 0 ? 0 : 1
