import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ConfigError, UsageError } from '../config/errors.js'
import { nearest } from '../config/nearest.js'
import type { JournalEvent } from '../journal/events.js'
import { foldRun } from '../journal/fold.js'
import { journalFile, readAll } from '../journal/reader.js'
import type { RunState } from '../journal/state.js'
import type { Plan } from '../plan/types.js'
import { latestName, readLatest } from './latest.js'

/** The plan's name in a run's folder. */
export const planFile = 'plan.json'

/** A run as its folder tells it. */
export interface StoredRun {
  /** Absolute. */
  readonly folder: string
  readonly plan: Plan
  readonly events: readonly JournalEvent[]
  readonly state: RunState
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

/** Reads a run's plan and journal. @throws ConfigError when either is not what it should be. */
export async function readRun(folder: string): Promise<StoredRun> {
  const plan = await readPlan(join(folder, planFile))
  const events = await readAll(join(folder, journalFile))
  const state = foldRun(plan, events)
  return { folder, plan, events, state: { ...state, run: state.run ?? basename(folder) } }
}

async function readPlan(path: string): Promise<Plan> {
  const place = { file: path, line: 1, column: 1 }
  const text = await readFile(path, 'utf8').catch(() => {
    throw new ConfigError([{ place, message: 'the run has no plan, so missing results cannot be detected' }])
  })
  try {
    const plan = JSON.parse(text) as Partial<Plan>
    if (Array.isArray(plan.environments) && typeof plan.digest === 'string') return plan as Plan
  } catch {
    // What is no JSON is no plan either.
  }
  throw new ConfigError([{ place, message: 'not a plan' }])
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isFile(),
    () => false,
  )
}
