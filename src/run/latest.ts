import { lstat, readFile, readlink, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InternalError, UsageError } from '../config/errors.js'
import { journalFile } from '../journal/reader.js'

/** The name below a folder of runs that stands for the newest one. */
export const latestName = 'latest'

/** A pointer of ours holds the name of a folder, and nothing else. */
const longestPointerBytes = 4096

/**
 * Makes `latest` stand for a run: a symbolic link, or, where the file system has none, a text file with the
 * run's name. It is replaced in one step, so that a reader finds the former run or this one. Resolves with
 * what is to be said about it, or `null`.
 *
 * @throws InternalError when neither can be made. Then `latest` stands for no run, if it can be removed: it
 * must never show an older run as the newest.
 */
export async function pointLatest(reports: string, run: string): Promise<string | null> {
  const latest = join(reports, latestName)
  const fresh = join(reports, `.${latestName}-${run}`)
  try {
    const whyNoLink = await makeLink(run, fresh)
    if (whyNoLink !== null) {
      await writeFile(fresh, `${run}\n`)
    }
    await replace(fresh, latest)
    return whyNoLink === null
      ? null
      : `${latest} is a text file, because no symbolic link can be made there (${whyNoLink})`
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined)
    // A folder is not ours to remove; it is never read as the newest run.
    const isGone = await rm(latest, { force: true }).then(
      () => true,
      () => false,
    )
    const outcome = isGone || (await isFolder(latest)) ? '' : ', and still stands for an older run'
    throw new InternalError(`${latest} cannot be made to stand for ${run}${outcome}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/**
 * Refuses a real folder in the place of `latest`, which no run could replace.
 *
 * @throws UsageError
 */
export async function refuseLatestFolder(reports: string): Promise<void> {
  const latest = join(reports, latestName)
  if (await isFolder(latest)) {
    throw new UsageError(
      `${latest} is a folder, where guestcert keeps a link to the newest run: rename or remove it`,
    )
  }
}

/**
 * The folder of the run that `latest` stands for; `null` when there is no `latest`.
 *
 * @throws UsageError when it is a real folder, or stands for no run.
 */
export async function readLatest(reports: string): Promise<string | null> {
  await refuseLatestFolder(reports)
  const latest = join(reports, latestName)
  const found = await lstat(latest).catch(() => null)
  if (found === null) {
    return null
  }
  const named = found.isSymbolicLink() ? await readlink(latest) : await readPointer(latest)
  const folder = found.isSymbolicLink() ? latest : join(reports, named)
  const journal = await stat(join(folder, journalFile)).catch(() => null)
  if (journal?.isFile() !== true) {
    throw new UsageError(`${latest} stands for "${named}", where there is no run`)
  }
  return realpath(folder)
}

async function makeLink(run: string, path: string): Promise<string | null> {
  return symlink(run, path).then(
    () => null,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  )
}

/** Some file systems replace no file by renaming: there it is missing for a moment. */
async function replace(fresh: string, latest: string): Promise<void> {
  try {
    await rename(fresh, latest)
  } catch (error) {
    if (await isFolder(latest)) {
      throw error
    }
    await rm(latest, { force: true })
    await rename(fresh, latest)
  }
}

async function readPointer(path: string): Promise<string> {
  const { size } = await stat(path)
  const text = size > longestPointerBytes ? '' : (await readFile(path, 'utf8')).trim()
  if (text === '' || text.startsWith('.') || basename(text) !== text || /[\\\n]/.test(text)) {
    throw new UsageError(`${path} is a file that names no run`)
  }
  return text
}

async function isFolder(path: string): Promise<boolean> {
  return lstat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
