/**
 * Simulates runs: `node dist/test/simulation/main.js [--from SEED] [--runs N] [--show]`. Prints each violation with its
 * seed, which `--from SEED --runs 1 --show` replays event by event. Exits with 1 when a law was violated.
 */
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { simulate } from './simulate.js'
import { installVirtualTime } from './virtual-time.js'

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    runs: { type: 'string', default: '10000' },
    show: { type: 'boolean', default: false },
  },
})
const [from, runs] = [Number(values.from), Number(values.runs)]
if (!Number.isInteger(from) || !Number.isInteger(runs) || runs < 1) {
  process.stderr.write('usage: main.js [--from SEED] [--runs N] [--show]\n')
  process.exit(2)
}
/** Runs whose violations are printed; all are counted. */
const mostShown = 20

const startedAt = process.hrtime.bigint()
const root = await mkdtemp(join(tmpdir(), 'guestcert-simulation-'))
const time = installVirtualTime()
const troubles = new Map<string, number>()
let violated = 0
let events = 0
for (let seed = from; seed < from + runs; seed += 1) {
  const simulated = await simulate(seed, root, time)
  events += simulated.events.length
  for (const [kind, times] of simulated.truth.troubles) {
    troubles.set(kind, (troubles.get(kind) ?? 0) + times)
  }
  if (values.show) {
    process.stdout.write(simulated.events.map(event => `${JSON.stringify(event)}\n`).join(''))
  }
  violated += simulated.violations.length === 0 ? 0 : 1
  for (const violation of violated > mostShown ? [] : simulated.violations) {
    process.stdout.write(`seed ${seed}: ${violation}\n`)
  }
  // What one run left would be evidence of the next one.
  rmSync(join(root, 'evidence'), { recursive: true, force: true })
}
time.uninstall()
await rm(root, { recursive: true, force: true })
const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9
const kinds = [...troubles].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, times]) => `${kind} ${times}`)
process.stdout.write(`troubles: ${kinds.join(', ')}\n`)
process.stdout.write(
  `${runs} runs from seed ${from}, ${events} events, ${violated} violated a law, ${seconds.toFixed(1)} s\n`,
)
process.exitCode = violated === 0 ? 0 : 1
