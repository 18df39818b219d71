import { lstat, realpath, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { InternalError, UsageError } from '../config/errors.js'
import { formatDuration } from '../config/units.js'
import { journalFile, readJournal } from '../journal/reader.js'
import { readLatest } from '../run/latest.js'
import { answer, lines } from './answer.js'
import { type CommandIo, countFlag, isSet, type ParsedArgs, textFlag } from './args.js'
import { listRuns } from './runs.js'
import { parseAgeMs } from './values.js'

const dayMs = 86_400_000
/** A journal without an end that was written to within this time may still be written to. */
const perhapsRunningMs = dayMs

interface Dated {
  readonly name: string
  readonly openedMs: number
  /** Why it stays whatever the flags say, or `null`. */
  readonly stays: string | null
}

/** `guestcert reports prune`: removes the folders of old runs. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const keep = countFlag(args, 'keep')
  const age = textFlag(args, 'older-than')
  if (keep === undefined && age === undefined) {
    throw new UsageError('nothing selected: use --keep N, --older-than AGE, or both')
  }
  const reports = resolve(io.cwd, textFlag(args, 'reports') ?? 'reports')
  const latest = await latestOf(reports)
  const now = Date.now()
  const dated = await Promise.all((await listRuns(reports)).map(name => dateOf(reports, name, now, latest)))
  const newestFirst = dated.toSorted((a, b) => b.openedMs - a.openedMs)
  const before = age === undefined ? Number.POSITIVE_INFINITY : now - (parseAgeMs(age) ?? 0)
  const old = newestFirst.filter((one, index) => index >= (keep ?? 0) && one.openedMs < before)
  const removed = old.filter(({ stays }) => stays === null)
  const dry = isSet(args, 'dry-run')
  if (!dry) for (const { name } of removed) await removeRun(join(reports, name))
  const kept = old.filter(({ stays }) => stays !== null)
  const left = dated.length - removed.length
  answer(args, io, {
    value: {
      reports,
      dryRun: dry,
      removed: removed.map(({ name }) => name),
      kept: kept.map(({ name, stays }) => ({ run: name, why: stays })),
      left,
    },
    text: () =>
      lines([
        ...removed.map(
          ({ name, openedMs }) =>
            `${dry ? 'would remove' : 'removed'} ${name} (${ageText(now - openedMs)} old)`,
        ),
        ...kept.map(({ name, stays }) => `kept ${name}: ${stays}`),
        `${removed.length} ${dry ? 'would be removed' : 'removed'}, ${left} kept in ${reports}`,
      ]),
    quiet: () => '',
  })
  return 0
}

/** Cleaning up is no matter of the pointer: one that stands for no run keeps none. */
async function latestOf(reports: string): Promise<string | null> {
  return readLatest(reports).catch((error: unknown) => {
    if (error instanceof UsageError) return null
    throw error
  })
}

async function dateOf(reports: string, name: string, now: number, latest: string | null): Promise<Dated> {
  const folder = join(reports, name)
  const journal = join(folder, journalFile)
  const { mtimeMs } = await lstat(journal)
  let openedMs = Number.NaN
  let closed = false
  try {
    for await (const event of readJournal(journal)) {
      if (Number.isNaN(openedMs)) openedMs = Date.parse(event.at)
      closed = event.type === 'run-closed'
    }
  } catch {
    return { name, openedMs: mtimeMs, stays: 'its journal cannot be read' }
  }
  const stays =
    latest !== null && (await realpath(folder)) === latest
      ? '"latest" names it'
      : !closed && now - mtimeMs < perhapsRunningMs
        ? 'it may still be running'
        : null
  return { name, openedMs: Number.isNaN(openedMs) ? mtimeMs : openedMs, stays }
}

async function removeRun(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InternalError(`the run ${basename(folder)} cannot be removed: ${why}`, { cause: error })
  }
}

function ageText(ms: number): string {
  return ms < dayMs ? formatDuration(Math.max(0, ms)) : `${Math.floor(ms / dayMs)} days`
}
