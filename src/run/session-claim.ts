import { readlinkSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { InternalError, UsageError } from '../config/errors.js'
import { identityOf, isAlive, processIdentity } from '../config/process-identity.js'
import { machineName } from '../config/this-machine.js'
import { formatDuration } from '../config/units.js'

/** The folder in a run's folder that has one file for each session, named by its epoch. */
const sessionsFolder = 'sessions'

/** What a session says of itself, so that others can tell whether it lives. */
const recordSchema = z.object({
  runner: z.string(),
  /** `null` where processes cannot be told apart. */
  process: processIdentity.nullable(),
  /** Process ids mean something only in their own namespace. */
  pidSpace: z.string(),
  everyMs: z.number().positive(),
  ended: z.boolean(),
})

type SessionRecord = z.infer<typeof recordSchema>

/** So many missed signs of life in a row say that a session is dead, where its process cannot be asked for. */
const missedBeats = 3
/** A record may be a stranger's: it is not waited for longer than this. */
const longestBeatMs = 60_000
const lookMs = 250

/** A session of a run that is ours: nobody else has its epoch. */
export interface SessionClaim {
  readonly epoch: number
  /** Aborts when a later session has begun. */
  readonly overtaken: AbortSignal
  /** Says that it has ended, so that the next one need not wait. */
  end(): Promise<void>
}

/** What a session is claimed with. */
export interface ClaimRequest {
  /** The run's folder. */
  readonly folder: string
  /** The highest epoch in the journal; 0 for a new run. */
  readonly lastEpoch: number
  /** Between two signs of life. */
  readonly everyMs: number
  /** Takes what is waited for. */
  readonly warn: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * Claims the next session of a run by making its file, which only one can. The latest session before it must have
 * ended, or be dead.
 *
 * @throws UsageError when another session lives.
 */
export async function claimSession(request: ClaimRequest): Promise<SessionClaim> {
  const { folder, lastEpoch, everyMs } = request
  const sessions = join(folder, sessionsFolder)
  const epochs = (await readdir(sessions).catch(() => [])).flatMap(name => {
    const [, epoch] = /^(\d{1,9})\.json$/.exec(name) ?? []
    return epoch === undefined ? [] : [Number(epoch)]
  })
  const known = Math.max(0, ...epochs)
  if (known > 0) {
    await refuseLiving(join(sessions, `${known}.json`), request)
  }
  const epoch = Math.max(known, lastEpoch) + 1
  const path = join(sessions, `${epoch}.json`)
  const record: SessionRecord = { ...ownProcess(), runner: machineName(), everyMs, ended: false }
  try {
    await mkdir(sessions, { recursive: true })
    await writeFile(path, JSON.stringify(record), { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new UsageError(`another session of this run has just begun: ${path}`)
    }
    throw new InternalError(`${path} cannot be written: ${messageOf(error)}`, { cause: error })
  }
  return keepClaim(path, join(sessions, `${epoch + 1}.json`), { record, epoch })
}

function keepClaim(
  path: string,
  next: string,
  { record, epoch }: { readonly record: SessionRecord; readonly epoch: number },
): SessionClaim {
  const overtaken = new AbortController()
  const beat = async (): Promise<void> => {
    if (await isThere(next)) {
      overtaken.abort(new InternalError('another session has taken this run over: see its folder'))
      clearInterval(timer)
      return
    }
    const now = new Date()
    // A folder that was removed is the journal's to complain about.
    await utimes(path, now, now).catch(() => {})
  }
  const timer = setInterval(() => void beat(), record.everyMs)
  timer.unref()
  return {
    epoch,
    overtaken: overtaken.signal,
    end: async () => {
      clearInterval(timer)
      if (await isThere(path)) {
        await writeFile(path, JSON.stringify({ ...record, ended: true })).catch(() => {})
      }
    },
  }
}

async function refuseLiving(path: string, { everyMs, warn, signal }: ClaimRequest): Promise<void> {
  const record = await readRecord(path)
  if (record?.ended === true) {
    return
  }
  const own = ownProcess()
  const isHere = own.process?.bootId === record?.process?.bootId && own.pidSpace === record?.pidSpace
  const known = isHere ? (record?.process ?? null) : null
  if (known !== null ? isAlive(known) : await beats(path, record?.everyMs ?? everyMs, { warn, signal })) {
    const process = record?.process == null ? '' : `, process ${record.process.pid}`
    throw new UsageError(`a session of this run lives, on ${record?.runner ?? 'another machine'}${process}`)
  }
}

/** Watches for a sign of life. */
async function beats(
  path: string,
  everyMs: number,
  { warn, signal }: Pick<ClaimRequest, 'warn' | 'signal'>,
): Promise<boolean> {
  const watchedMs = missedBeats * Math.min(everyMs, longestBeatMs)
  const before = await beatOf(path)
  warn(`waiting ${formatDuration(watchedMs)} to see whether an earlier session of this run lives`)
  for (const until = performance.now() + watchedMs; performance.now() < until; ) {
    await pause(Math.min(lookMs, watchedMs), undefined, { signal })
    if ((await beatOf(path)) !== before) {
      return true
    }
  }
  return false
}

async function beatOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  )
}

/** `null` for one that its session had no time to write. */
async function readRecord(path: string): Promise<SessionRecord | null> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}

/** This process, where the system tells one from another. */
function ownProcess(): Pick<SessionRecord, 'process' | 'pidSpace'> {
  try {
    return { process: identityOf(process.pid), pidSpace: readlinkSync('/proc/self/ns/pid') }
  } catch {
    return { process: null, pidSpace: '' }
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
