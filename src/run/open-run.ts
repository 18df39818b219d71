import { basename, join } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { JournalEvent } from '../journal/events.js'
import { journalFile, readAll } from '../journal/reader.js'
import { withoutStrays } from '../journal/run-path.js'
import { JournalWriter } from '../journal/writer.js'
import { makeRunFolder, runId } from './folder.js'
import { pointLatest } from './latest.js'
import type { EventSink, RunRequest } from './request.js'
import { claimSession, type SessionClaim } from './session-claim.js'

/** A run that this session writes. */
export interface OpenRun {
  readonly run: string
  readonly folder: string
  readonly claim: SessionClaim
  readonly sink: EventSink
  /** What earlier sessions have written; nothing for a new run. */
  readonly before: readonly JournalEvent[]
}

/** Makes the folder of a new run, and begins its journal. */
export async function openNewRun(request: RunRequest): Promise<OpenRun> {
  const { output, warn } = request
  const run = runId(new Date(), request.certify)
  const folder = join(output, run)
  await makeRunFolder(folder)
  // Before anything else: whatever fails from here on, "latest" shows no older run.
  const pointed = await pointLatest(output, run)
  if (pointed !== null) {
    warn(pointed)
  }
  const claim = await claimNext(request, folder, 0)
  const sink = request.sink ?? (await openJournal(request, folder, { epoch: claim.epoch, firstSeq: 1 }))
  return { run, folder, claim, sink, before: [] }
}

/**
 * Opens a run that exists for a further session.
 *
 * @throws UsageError when another session lives, ConfigError for a journal that cannot be read.
 */
export async function reopenRun(request: RunRequest, folder: string): Promise<OpenRun> {
  const journal = join(folder, journalFile)
  const written = await readAll(journal)
  const last = written.at(-1)
  const claim = await claimNext(request, folder, last?.epoch ?? 0)
  const sink = await openJournal(request, folder, { epoch: claim.epoch, firstSeq: (last?.seq ?? 0) + 1 })
  const { events } = await withoutStrays(folder, await readAll(journal))
  const opened = events.find(event => event.type === 'run-opened')
  if (opened === undefined) {
    throw new UsageError(`${basename(folder)} had not begun when its runner died: start a new run`)
  }
  return { run: opened.run, folder, claim, sink, before: events }
}

function claimNext(
  { plan, warn, stop }: RunRequest,
  folder: string,
  lastEpoch: number,
): Promise<SessionClaim> {
  return claimSession({ folder, lastEpoch, everyMs: plan.limits.heartbeat, warn, signal: stop })
}

function openJournal(
  { warn }: RunRequest,
  folder: string,
  session: { readonly epoch: number; readonly firstSeq: number },
): Promise<EventSink> {
  return JournalWriter.open({
    path: join(folder, journalFile),
    ...session,
    onUnsynced: code =>
      warn(
        `the file system of ${folder} cannot force files to disk (${code}): a crash of this machine may lose verdicts that were told`,
      ),
  })
}
