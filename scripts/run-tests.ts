import { readFile } from 'node:fs/promises'
import pLimit from 'p-limit'
import { TapReport } from './tap-report.js'
import { groupFiles, type TestKind, testFiles } from './test-files.js'
import { laneNames, laneOf } from './test-lanes.js'
import { runTestProcess, stopAll } from './test-process.js'
import { longestFirst, readTimes, recordTimes } from './test-times.js'

/**
 * Runs compiled tests and closes with `N passed, N failed`.
 * `node dist/scripts/run-tests.js [--real [--lane NAME]… | --proof] [FILTER…]`
 */
const kinds: Readonly<Record<string, TestKind>> = { '--real': 'real', '--proof': 'proof' }
/** Files of one kind share the cores; while one waits, another computes. */
const jobs = 3
const groupSize = 12
/** Of a file that hangs in spite of its own limits, in time of a quiet machine. */
const limitsMs: Readonly<Record<TestKind, number>> = { unit: 240_000, proof: 1_200_000, real: 3_600_000 }

function usage(reason: string): never {
  process.stdout.write(
    `${reason}\nusage: run-tests.js [--real [--lane ${laneNames.join('|')}]… | --proof] [FILTER…]\n`,
  )
  process.exit(2)
}

interface Wanted {
  readonly kind: TestKind
  readonly lanes: readonly string[]
  readonly filters: readonly string[]
}

function wanted(argv: readonly string[]): Wanted {
  let kind: TestKind = 'unit'
  const lanes: string[] = []
  const filters: string[] = []
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? ''
    if (word === '--lane') {
      at += 1
      lanes.push(argv[at] ?? '')
    } else if (word.startsWith('-')) {
      kind = kinds[word] ?? usage(`unknown option ${word}`)
    } else {
      filters.push(word)
    }
  }
  const unknown = lanes.find(name => !laneNames.includes(name))
  if (unknown !== undefined) {
    usage(`unknown lane "${unknown}"`)
  }
  return { kind, lanes: lanes.length === 0 ? laneNames : lanes, filters }
}

/** Runs each group in a process; true if all ended well. */
async function runGroups(
  groups: readonly string[][],
  atOnce: number,
  limitMs: number,
  report: TapReport,
): Promise<boolean> {
  const gate = pLimit(atOnce)
  const well = await Promise.all(groups.map(files => gate(() => runTestProcess({ files, limitMs }, report))))
  return well.every(Boolean)
}

/** CPU seconds of all processes that were started and have ended, as Linux counts them. */
async function childrenCpuSec(): Promise<number | null> {
  const ticksPerSec = 100
  const text = await readFile('/proc/self/stat', 'utf8').catch(() => '')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields[13]), Number(fields[14])]
  return text === '' || Number.isNaN(user + system) ? null : (user + system) / ticksPerSec
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopAll()
    process.exit(130)
  })
}

const { kind, lanes, filters } = wanted(process.argv.slice(2))
const all = await testFiles(kind, filters)
const files = kind === 'real' ? all.filter(file => lanes.includes(laneOf(file) ?? '')) : all
if (files.length === 0) {
  process.stdout.write('no test file matches\n')
  process.exit(1)
}
const report = new TapReport()
const started = performance.now()
const limitMs = limitsMs[kind]
const times = await readTimes()
const well =
  kind === 'real'
    ? await Promise.all(
        lanes.map(lane => {
          const own = files.filter(file => laneOf(file) === lane).map(file => [file])
          return runGroups(own, 1, limitMs, report)
        }),
      )
    : [await runGroups(longestFirst(await groupFiles(files, groupSize), times), jobs, limitMs, report)]
await recordTimes(report.seconds)
const isWell = well.every(Boolean)
const seconds = ((performance.now() - started) / 1000).toFixed(1)
const cpuSec = await childrenCpuSec()
process.stdout.write(
  `${files.length} files, ${seconds} s${cpuSec === null ? '' : `, ${cpuSec.toFixed(0)} CPU s`}\n`,
)
const { passed, skipped } = report
let { failed } = report
// A process that crashed counts even when none of its tests failed.
if (!isWell && failed === 0) {
  failed = 1
}
// In CI every component is there: what is skipped there is missing from .ci/run.
if (process.env.CI === 'true' && skipped > 0) {
  failed += skipped
}
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`)
process.exitCode = isWell && failed === 0 ? 0 : 1
