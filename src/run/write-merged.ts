import { createHash } from 'node:crypto'
import { copyFile, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InternalError, UsageError } from '../config/errors.js'
import { planFormat } from '../config/format.js'
import type { Evidence, JournalEvent } from '../journal/events.js'
import { journalFile } from '../journal/reader.js'
import { makeRunFolder, planFile, writeJson } from './folder.js'
import type { Merged, MergeParent } from './merge.js'

/** Of one piece that is written to a journal, in events. */
const written = 1000

/**
 * Writes a merged run into a new folder: plan, journal, and the evidence of its parents, each file as its digest says.
 * A folder that cannot be completed is removed.
 *
 * @throws UsageError for evidence that is missing or was changed, InternalError for what cannot be written.
 */
export async function writeMerged(
  folder: string,
  { plan, events }: Merged,
  parents: readonly Pick<MergeParent, 'folder' | 'events'>[],
): Promise<void> {
  await makeRunFolder(folder)
  try {
    for (const parent of parents) {
      for (const evidence of evidenceOf(parent.events)) {
        await copyEvidence(evidence, parent.folder, folder)
      }
    }
    await writeJson(join(folder, planFile), { format: planFormat, ...plan })
    await writeJournal(join(folder, journalFile), events)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function evidenceOf(events: readonly JournalEvent[]): readonly Evidence[] {
  const all = events.flatMap(event => ('evidence' in event ? event.evidence : []))
  return [...new Map(all.map(evidence => [evidence.path, evidence])).values()]
}

async function copyEvidence({ path, sha256 }: Evidence, from: string, to: string): Promise<void> {
  const [source, target] = [join(from, path), join(to, path)]
  await mkdir(dirname(target), { recursive: true })
  await copyFile(source, target).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `the runs cannot be merged: ${source} cannot be copied: ${error.code ?? error.message}`,
    )
  })
  // The copy is what is kept: the original may change under our hands.
  const found = createHash('sha256')
    .update(await readFile(target))
    .digest('hex')
  if (found !== sha256) {
    throw new UsageError(
      `the runs cannot be merged: ${source} does not have the digest that its journal names`,
    )
  }
}

async function writeJournal(path: string, events: readonly JournalEvent[]): Promise<void> {
  try {
    const file = await open(path, 'wx')
    try {
      for (let at = 0; at < events.length; at += written) {
        const lines = events.slice(at, at + written).map(event => `${JSON.stringify(event)}\n`)
        await file.appendFile(lines.join(''))
      }
      await file.datasync()
    } finally {
      await file.close()
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InternalError(`${path} cannot be written: ${why}`, { cause: error })
  }
}
