import { rmSync } from 'node:fs'
import { access, constants, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulate } from './simulate.js'
import { installVirtualTime } from './virtual-time.js'

/** Which seeds are simulated. */
export interface SeriesRequest {
  readonly from: number
  readonly runs: number
  /** Writes every event. */
  readonly show: boolean
}

/** What a series of runs came to. */
export interface Series {
  readonly violations: readonly string[]
  readonly violated: number
  readonly events: number
  readonly troubles: Readonly<Record<string, number>>
}

/** Runs whose violations are told; all are counted. */
const mostShown = 20
/** A file system in memory: what a run leaves is removed again at once, which costs a disk more than the run. */
const memoryFolder = '/dev/shm'

/** Simulates one run after the other. */
export async function runSeries({ from, runs, show }: SeriesRequest): Promise<Series> {
  const above = await access(memoryFolder, constants.W_OK).then(
    () => memoryFolder,
    () => tmpdir(),
  )
  const root = await mkdtemp(join(above, 'guestcert-simulation-'))
  const time = installVirtualTime()
  const troubles: Record<string, number> = {}
  const violations: string[] = []
  let [violated, events] = [0, 0]
  for (let seed = from; seed < from + runs; seed += 1) {
    const simulated = await simulate(seed, root, time)
    events += simulated.events.length
    for (const [kind, times] of simulated.truth.troubles) {
      troubles[kind] = (troubles[kind] ?? 0) + times
    }
    if (show) {
      process.stdout.write(simulated.events.map(event => `${JSON.stringify(event)}\n`).join(''))
    }
    violated += simulated.violations.length === 0 ? 0 : 1
    if (violated <= mostShown) {
      violations.push(...simulated.violations.map(violation => `seed ${seed}: ${violation}`))
    }
    // What one run left would be evidence of the next one.
    rmSync(join(root, 'evidence'), { recursive: true, force: true })
  }
  time.uninstall()
  await rm(root, { recursive: true, force: true })
  return { violations, violated, events, troubles }
}
