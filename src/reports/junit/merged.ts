import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { EnvironmentState, RunState } from '../../journal/state.js'
import { replaceFile } from '../replace-file.js'
import { environmentSuites, type JunitOptions, type JunitSuites, runSuites } from './build.js'
import { documentEnd, documentHead, sumJunitCounts } from './document.js'

/** How much goes into one file. GitLab refuses more than 30 MB, and other readers hold a file in memory. */
export interface MergedLimits {
  readonly bytes: number
  readonly cases: number
}

const usualLimits: MergedLimits = { bytes: 20 * 1000 * 1000, cases: 5000 }

/** What a merged report is made of. */
export interface MergedRequest extends JunitOptions {
  /** Of the first file; further ones are `NAME-0002.xml` and so on beside it. */
  readonly path: string
  readonly state: RunState
  /** Every environment in the plan's order; those of `state` when absent. */
  readonly environments?: AsyncIterable<EnvironmentState> | Iterable<EnvironmentState>
  readonly limits?: MergedLimits
}

/**
 * Writes all environments of a run into one JUnit file, or into several where it would be too large, and removes further
 * ones that an earlier report left. Each file is replaced in one step. Returns their paths.
 *
 * @throws InternalError when one cannot be written.
 */
export async function writeMergedJunit(request: MergedRequest): Promise<readonly string[]> {
  const { path, state, environments = state.environments, limits = usualLimits, profile } = request
  const written: string[] = []
  let part: JunitSuites[] = []
  let [bytes, cases] = [0, 0]
  const flush = async (): Promise<void> => {
    const target = partPath(path, written.length + 1)
    const { run, durationMs, openedAt: startedAt } = state
    const counts = sumJunitCounts(part.map(one => one.counts))
    const head = documentHead({ profile, run, counts, durationMs, startedAt })
    // Piece by piece: joined it would be in memory twice more.
    await replaceFile(target, [head, ...part.map(({ text }) => text), documentEnd])
    written.push(target)
    part = []
    ;[bytes, cases] = [0, 0]
  }
  const take = async (suites: JunitSuites): Promise<void> => {
    const own = Buffer.byteLength(suites.text)
    const isFull = bytes + own > limits.bytes || cases + suites.counts.tests > limits.cases
    if (part.length > 0 && isFull) await flush()
    part.push(suites)
    bytes += own
    cases += suites.counts.tests
  }
  const ofTheRun = runSuites(state, request)
  if (ofTheRun.text !== '') await take(ofTheRun)
  for await (const environment of environments) {
    for (const suites of environmentSuites(state, environment, request)) await take(suites)
  }
  if (part.length > 0 || written.length === 0) await flush()
  await removeFurther(path, written)
  return written
}

/** `junit.xml`, `junit-0002.xml`, … */
function partPath(path: string, number: number): string {
  if (number === 1) return path
  const ending = extname(path)
  return join(dirname(path), `${basename(path, ending)}-${String(number).padStart(4, '0')}${ending}`)
}

/** A longer report stood here before: readers that take all files would still count it. */
async function removeFurther(path: string, written: readonly string[]): Promise<void> {
  const found = new Set((await readdir(dirname(path))).map(name => join(dirname(path), name)))
  for (let number = written.length + 1; found.has(partPath(path, number)); number += 1) {
    await rm(partPath(path, number), { force: true })
  }
}
