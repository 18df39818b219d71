import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Parser } from 'tap-parser'

/**
 * Runs compiled tests with tap and closes with `N passed, N failed`.
 * `node dist/scripts/run-tests.js [--real] [FILTER…]`
 */
const [kind, ...filters] =
  process.argv.slice(2)[0] === '--real'
    ? ['real', ...process.argv.slice(3)]
    : ['unit', ...process.argv.slice(2)]
const root = process.cwd()

async function testFiles(): Promise<string[]> {
  const found: string[] = []
  for (const folder of ['dist/src', 'dist/suites', 'dist/test', 'dist/scripts']) {
    const entries = await readdir(join(root, folder), { recursive: true }).catch(() => [])
    found.push(...entries.filter(name => name.endsWith('.test.js')).map(name => join(folder, name)))
  }
  const ofKind = found.filter(name => name.endsWith('.real.test.js') === (kind === 'real'))
  return ofKind.filter(name => filters.length === 0 || filters.some(filter => name.includes(filter))).sort()
}

const files = await testFiles()
if (files.length === 0) {
  process.stdout.write('no test file fits\n')
  process.exit(1)
}

// Real components are few and heavy: one file at a time. Unit tests share the cores.
const jobs = kind === 'real' ? '1' : '3'
const limitSec = kind === 'real' ? '1800' : '120'
const tap = spawn(
  process.execPath,
  [
    'node_modules/.bin/tap',
    'run',
    '--disable-coverage',
    '--allow-empty-coverage',
    '--reporter=tap',
    `--jobs=${jobs}`,
    `--timeout=${limitSec}`,
    ...files,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)

let [passed, failed, skipped] = [0, 0, 0]
const started = performance.now()
const parser = new Parser()
parser.on('child', file => {
  file.on('complete', (results: { pass: number; fail: number; skip: number; ok: boolean }) => {
    passed += results.pass - results.skip
    failed += results.fail
    const mark = results.ok ? 'ok  ' : 'FAIL'
    process.stdout.write(`${mark} ${file.name} (${results.pass} passed, ${results.fail} failed)\n`)
  })
  file.on('line', (line: string) => {
    if (process.env.TEST_VERBOSE !== undefined) {
      process.stdout.write(line)
    }
  })
  const report = (assertion: {
    ok: boolean
    name: string
    diag?: unknown
    skip?: string | boolean
  }): void => {
    if (assertion.skip !== undefined && assertion.skip !== false) {
      skipped += 1
      process.stdout.write(`     skipped: ${assertion.name}: ${assertion.skip}\n`)
    }
    if (!assertion.ok) {
      process.stdout.write(`     not ok: ${assertion.name}\n${indent(assertion.diag)}`)
    }
  }
  const watch = (level: Parser): void => {
    level.on('assert', report)
    level.on('child', watch)
  }
  watch(file)
})

function indent(diagnostics: unknown): string {
  return diagnostics === undefined || diagnostics === null
    ? ''
    : `${JSON.stringify(diagnostics, null, 2).replace(/^/gm, '       ')}\n`
}

tap.stdout.pipe(parser)
const ended = once(parser, 'complete')
const [code] = (await once(tap, 'close')) as [number | null]
await ended
const seconds = ((performance.now() - started) / 1000).toFixed(1)
process.stdout.write(`${files.length} files, ${seconds} s\n`)
// A file that crashed counts even when none of its points failed.
if (code !== 0 && failed === 0) {
  failed = 1
}
// In CI every component is there: what is skipped there is missing from .ci/run.
if (process.env.CI === 'true' && skipped > 0) {
  failed += skipped
}
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`)
process.exitCode = code === 0 && failed === 0 ? 0 : 1
