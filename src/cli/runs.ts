import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ConfigError, UsageError } from '../config/errors.js'
import { otherFormat, planFormat } from '../config/format.js'
import { nearest } from '../config/nearest.js'
import type { JournalEvent } from '../journal/events.js'
import { foldRun } from '../journal/fold.js'
import { journalFile, readAll } from '../journal/reader.js'
import { leadsOut, withoutStrays } from '../journal/run-path.js'
import type { RunState } from '../journal/state.js'
import { parseStoredPlan } from '../plan/stored.js'
import type { Plan } from '../plan/types.js'
import { planFile } from '../run/folder.js'
import { latestName, readLatest } from '../run/latest.js'

/** A run as its folder tells it. */
export interface StoredRun {
  /** Absolute. */
  readonly folder: string
  readonly plan: Plan
  readonly events: readonly JournalEvent[]
  readonly state: RunState
  /** Paths of evidence that lie outside the folder, and were left out. */
  readonly strays: readonly string[]
}

/**
 * The runs below a folder, by name, the oldest first: a folder with a journal is a run. A folder with the
 * name of the pointer `latest` is none.
 */
export async function listRuns(reports: string): Promise<readonly string[]> {
  const entries = await readdir(reports, { withFileTypes: true }).catch(() => [])
  const runs: string[] = []
  for (const entry of entries) {
    if (
      entry.isDirectory() &&
      entry.name !== latestName &&
      (await isFile(join(reports, entry.name, journalFile)))
    )
      runs.push(entry.name)
  }
  return runs.sort()
}

/**
 * The folder of a run, named by a path, by its name below `reports`, by a beginning of that name that
 * no other shares, or as `latest`. @throws UsageError with the nearest name, or for a `latest` that
 * stands for no run.
 */
export async function findRun(name: string, reports: string, cwd = process.cwd()): Promise<string> {
  for (const folder of [resolve(cwd, name), resolve(reports, name)]) {
    if (basename(folder) === latestName) {
      const latest = await readLatest(dirname(folder))
      if (latest !== null) return latest
    } else if (await isFile(join(folder, journalFile))) return realpath(folder)
  }
  const runs = await listRuns(reports)
  const begun = runs.filter(run => run.startsWith(name))
  const [only] = begun
  if (begun.length === 1 && only !== undefined) return resolve(reports, only)
  if (begun.length > 1) {
    throw new UsageError(
      `"${name}" is ambiguous, ${begun.length} runs match: ${begun.slice(0, 5).join(', ')}`,
    )
  }
  const newest = runs.at(-1)
  if (newest === undefined) throw new UsageError(`unknown run "${name}": there are no runs in ${reports}`)
  throw new UsageError(
    `unknown run "${name}" in ${reports}: did you mean "${nearest(name, runs) ?? newest}"?`,
  )
}

/**
 * Reads a run's plan and journal. The folder may be a stranger's: files and evidence that lie outside it are not
 * read, and not named.
 *
 * @throws ConfigError when plan or journal is not what it should be.
 */
export async function readRun(folder: string): Promise<StoredRun> {
  for (const name of [planFile, journalFile]) await refuseStray(folder, name)
  const plan = await readPlan(join(folder, planFile))
  const { events, strays } = await withoutStrays(folder, await readAll(join(folder, journalFile)))
  const state = foldRun(plan, events)
  return { folder, plan, events, strays, state: { ...state, run: state.run ?? basename(folder) } }
}

async function refuseStray(folder: string, name: string): Promise<void> {
  const path = join(folder, name)
  const found = await stat(path).catch(() => null)
  if (found !== null && (!found.isFile() || (await leadsOut(folder, name)))) {
    throw refused(path, "it is not a file of the run's folder")
  }
}

async function readPlan(path: string): Promise<Plan> {
  const content = await readFile(path, 'utf8').catch(() => {
    throw refused(path, 'the run has no plan, so missing results cannot be detected')
  })
  const mistake = otherFormat('plan', formatOf(content), planFormat)
  if (mistake !== null) throw refused(path, mistake)
  const plan = parseStoredPlan(content)
  if (plan === null) throw refused(path, 'not a plan')
  return plan
}

function formatOf(content: string): unknown {
  try {
    return (JSON.parse(content) as { readonly format?: unknown } | null)?.format
  } catch {
    return undefined
  }
}

function refused(file: string, message: string): ConfigError {
  return new ConfigError([{ place: { file, line: 1, column: 1 }, message }])
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isFile(),
    () => false,
  )
}
