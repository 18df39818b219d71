import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type History, historyOf } from '../engine/estimate.js'
import type { JournalEvent } from '../journal/events.js'
import { journalFile, readAll } from '../journal/reader.js'
import { listRuns } from './runs.js'

/** Older runs tell nothing that newer ones do not tell better. */
const runsRead = 5
/** A longer journal takes longer to read than a better order saves. */
const longestJournalBytes = 64 * 1024 * 1024

/** How long things took in the newest runs below a folder. A journal that cannot be read tells nothing. */
export async function readHistory(reports: string): Promise<History> {
  const runs = (await listRuns(reports)).slice(-runsRead)
  const journals = runs.map(async (run): Promise<readonly JournalEvent[]> => {
    const path = join(reports, run, journalFile)
    const { size } = await stat(path)
    return size > longestJournalBytes ? [] : readAll(path)
  })
  const read = await Promise.allSettled(journals)
  return historyOf(read.flatMap(result => (result.status === 'fulfilled' ? [result.value] : [])))
}
