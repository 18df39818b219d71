/**
 * Simulates runs: `node dist/test/simulation/main.js [--from SEED] [--runs N] [--processes N] [--show]`. Prints each
 * violation with its seed, which `--from SEED --runs 1 --show` replays event by event. Exits with 1 when a law was
 * violated.
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { execaNode } from 'execa'
import { runSeries, type Series } from './series.js'

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    runs: { type: 'string', default: '10000' },
    processes: { type: 'string' },
    show: { type: 'boolean', default: false },
    // Prints the outcome for the process that started this one.
    json: { type: 'boolean', default: false },
  },
})
/** So few runs are over before another process has started. */
const worthAProcess = 100
const [from, runs] = [Number(values.from), Number(values.runs)]
const wanted = Number(values.processes ?? (values.show ? 1 : availableParallelism()))
if (![from, runs, wanted].every(Number.isInteger) || runs < 1 || wanted < 1) {
  process.stderr.write('usage: main.js [--from SEED] [--runs N] [--processes N] [--show]\n')
  process.exit(2)
}

const startedAt = process.hrtime.bigint()
const processes = Math.min(wanted, Math.ceil(runs / worthAProcess))
const all =
  processes === 1
    ? [await runSeries({ from, runs, show: values.show })]
    : await Promise.all(Array.from({ length: processes }, (_, index) => runPart(index)))
const troubles: Record<string, number> = {}
for (const [kind, times] of all.flatMap(series => Object.entries(series.troubles))) {
  troubles[kind] = (troubles[kind] ?? 0) + times
}
const sum: Series = {
  violations: all.flatMap(({ violations }) => violations),
  violated: all.reduce((count, { violated }) => count + violated, 0),
  events: all.reduce((count, { events }) => count + events, 0),
  troubles,
}
if (values.json) {
  process.stdout.write(JSON.stringify(sum))
} else {
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9
  const kinds = Object.entries(troubles)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, times]) => `${kind} ${times}`)
  process.stdout.write(
    [
      ...sum.violations,
      `troubles: ${kinds.join(', ')}`,
      `${runs} runs from seed ${from}, ${sum.events} events, ${sum.violated} violated a law, ${seconds.toFixed(1)} s`,
      '',
    ].join('\n'),
  )
}
process.exitCode = sum.violated === 0 ? 0 : 1

/** Simulates a share of the seeds in a process of its own. */
async function runPart(index: number): Promise<Series> {
  const first = from + Math.floor((runs * index) / processes)
  const next = from + Math.floor((runs * (index + 1)) / processes)
  const args = ['--from', String(first), '--runs', String(next - first), '--processes', '1', '--json']
  const { stdout, stderr, exitCode } = await execaNode(fileURLToPath(import.meta.url), args, {
    reject: false,
    stdin: 'ignore',
  })
  if (exitCode !== 0 && exitCode !== 1) {
    throw new Error(`the runs from seed ${first} ended with ${exitCode}: ${stderr}`)
  }
  return JSON.parse(stdout) as Series
}
