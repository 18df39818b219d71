import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import { recordLimits } from '../limits.js'

const lockName = '.lock'
/** How often a lock that somebody else has is looked at. */
const lookMs = 20

/** The lock of a record, while it is held. */
export interface HeldLock {
  /** @throws InfraError when another program has taken it away: what is written after that could undo the other's work. */
  check(): Promise<void>
}

/** Does something while nobody else writes to the record. @throws InfraError when somebody else does not end. */
export async function withLock<T>(
  folder: string,
  work: (lock: HeldLock) => Promise<T>,
  limitMs = recordLimits.lock,
): Promise<T> {
  const path = join(folder, lockName)
  const own = `${hostname()} ${process.pid}\n`
  const until = performance.now() + limitMs
  while (!(await take(path, own))) {
    await breakDead(path)
    const isEmpty = await isLeftEmpty(path)
    if (isEmpty || performance.now() > until) throw held(folder, path, isEmpty, await ownerOf(path))
    await new Promise(resolve => setTimeout(resolve, lookMs))
  }
  try {
    return await work({
      check: async () => {
        if ((await ownerOf(path)) !== own.trim()) throw held(folder, path, false, await ownerOf(path))
      },
    })
  } finally {
    if ((await ownerOf(path)) === own.trim()) await rm(path, { force: true })
  }
}

function held(folder: string, path: string, isEmpty: boolean, owner: string): InfraError {
  const why = isEmpty
    ? `${path} is empty: a program that was stopped has left it. Remove it if nobody writes to the record`
    : `${folder} is written to by another program (${owner}): remove ${path} if that has ended`
  return new InfraError(why, { cause: 'runner', where: folder, limit: 'lock', code: 'limit' })
}

/** Takes the lock with its owner in it: it is never there without one, not even when the disk is full. */
async function take(path: string, own: string): Promise<boolean> {
  const unfinished = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(unfinished, own)
    await link(unfinished, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') return takeWithoutLinks(path, own)
    throw error
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** On a file system without links the lock is empty for a moment. */
async function takeWithoutLinks(path: string, own: string): Promise<boolean> {
  const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return null
    throw error
  })
  if (file === null) return false
  try {
    await file.writeFile(own)
    return true
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

async function ownerOf(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim()
}

async function isLeftEmpty(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found !== null && found.size === 0 && Date.now() - found.mtimeMs > recordLimits.emptyLock
}

/**
 * A lock of a process of this machine that has ended is nobody's. It is moved away before it is removed: of several that
 * see it one moves it, and whoever moved a living one after all gives it back.
 */
async function breakDead(path: string): Promise<void> {
  const owner = await ownerOf(path)
  if (!isDead(owner)) return
  const moved = `${path}.${randomUUID()}.dead`
  const isMoved = await rename(path, moved).then(
    () => true,
    () => false,
  )
  if (!isMoved) return
  if ((await ownerOf(moved)) !== owner) await link(moved, path).catch(() => {})
  await rm(moved, { force: true })
}

function isDead(owner: string): boolean {
  const [host = '', pid = ''] = owner.split(' ')
  return host === hostname() && /^\d+$/.test(pid) && !isRunning(Number(pid))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
