import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileNameOf } from '../../config/file-name.js'
import type { RunState } from '../../journal/state.js'
import { junitFor } from '../../reports/junit/build.js'
import { canonicalBytes, sha256 } from '../canonical.js'
import { statementsOf } from '../statement/build.js'
import { emulatorKeys } from '../statement/emulator-keys.js'
import type { RunStatement } from '../statement/types.js'
import { replace } from './store.js'

/** A run's journal and plan, as bytes and as what they come to. */
export interface RunSource {
  readonly state: RunState
  readonly journal: Buffer
  readonly plan: Buffer
}

/** The folder of a run's journal, plan and JUnit in a record, by the digest of its journal. */
export function runFolder(journal: string): string {
  return `runs/${journal}`
}

/** A statement, and the JUnit report that it names. */
export interface StatedRun {
  readonly environment: string
  readonly statement: RunStatement
  readonly junit: string
}

/** The statements of a run, and its JUnit reports of the strict profile, without attachments. */
export async function stateRun({ state, journal, plan }: RunSource): Promise<readonly StatedRun[]> {
  const reports = new Map(
    state.environments.map(({ planned }) => [planned.id, junitFor(state, planned.id, { profile: 'strict' })]),
  )
  const junitOf = (environment: string): string => sha256(reports.get(environment) ?? '')
  const statements = statementsOf({
    state,
    journal: sha256(journal),
    plan: sha256(plan),
    emulatorKeys: await emulatorKeys(),
    junitOf,
  })
  return statements.map((statement, index) => {
    const environment = state.environments[index]?.planned.id ?? ''
    return { environment, statement, junit: reports.get(environment) ?? '' }
  })
}

/** Keeps a run's journal, plan and JUnit reports in a record: whoever verifies it folds them again. */
export async function keepRun(
  folder: string,
  source: RunSource,
  stated: readonly StatedRun[],
): Promise<void> {
  const base = runFolder(sha256(source.journal))
  await replace(folder, `${base}/journal.ndjson`, source.journal)
  await replace(folder, `${base}/plan.json`, source.plan)
  for (const { environment, junit } of stated) {
    await replace(folder, `${base}/junit-strict/${fileNameOf(environment)}.xml`, junit)
  }
}

/** What is wrong with a kept run, by what its statement says; nothing when it comes to the same bytes again. */
export async function runFlaws(
  folder: string,
  recorded: RunStatement,
  source: RunSource | null,
  isOurHarness: boolean,
): Promise<readonly { readonly file: string; readonly why: string }[]> {
  const [journal, plan] = [digestIn(recorded, 'journal'), digestIn(recorded, 'plan')]
  const base = runFolder(journal)
  if (source === null) return []
  if (sha256(source.journal) !== journal)
    return [{ file: `${base}/journal.ndjson`, why: 'it is not the journal that was recorded' }]
  if (sha256(source.plan) !== plan)
    return [{ file: `${base}/plan.json`, why: 'it is not the plan that was recorded' }]
  const stated = await stateRun(source)
  const wanted = (one: RunStatement): Buffer =>
    canonicalBytes(isOurHarness ? one : { ...one, predicate: { ...one.predicate, junit: null } })
  const same = stated.find(({ statement }) => wanted(statement).equals(wanted(recorded)))
  if (same === undefined)
    return [{ file: base, why: 'journal and plan do not come to the statement that was recorded' }]
  const file = `${base}/junit-strict/${fileNameOf(same.environment)}.xml`
  const report = await readFile(join(folder, file)).catch(() => null)
  return report !== null && sha256(report) === recorded.predicate.junit
    ? []
    : [{ file, why: report === null ? 'it is not there' : 'it is not the JUnit report that was recorded' }]
}

function digestIn({ subject }: RunStatement, wanted: 'journal' | 'plan'): string {
  return subject.find(({ name }) => name === wanted)?.digest.sha256 ?? ''
}
