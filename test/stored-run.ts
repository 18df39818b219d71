import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JournalEvent } from '../src/journal/events.js'
import type { Plan } from '../src/plan/types.js'

/** Writes a run as the program leaves it, without reports. */
export async function storeRun(folder: string, plan: Plan, events: readonly JournalEvent[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'plan.json'), JSON.stringify(plan))
  await writeFile(join(folder, 'journal.ndjson'), events.map(event => `${JSON.stringify(event)}\n`).join(''))
}
