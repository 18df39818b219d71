import { open, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import { recordLimits } from '../limits.js'

const lockName = '.lock'
/** How often a lock that somebody else has is looked at. */
const lookMs = 20

/** Does something while nobody else writes to the record. @throws InfraError when somebody else does not end. */
export async function withLock<T>(
  folder: string,
  work: () => Promise<T>,
  limitMs = recordLimits.lock,
): Promise<T> {
  const path = join(folder, lockName)
  const own = `${hostname()} ${process.pid}\n`
  const until = performance.now() + limitMs
  while (!(await take(path, own))) {
    await breakDead(path)
    if (performance.now() > until) {
      const owner = (await readFile(path, 'utf8').catch(() => '')).trim()
      throw new InfraError(
        `${folder} is written to by another program (${owner}): remove ${path} if that has ended`,
        {
          cause: 'runner',
          where: folder,
          limit: 'lock',
          code: 'limit',
        },
      )
    }
    await new Promise(resolve => setTimeout(resolve, lookMs))
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function take(path: string, own: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(own)
    await file.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A lock of a process of this machine that has ended is nobody's. It is taken away by one who sees the same file twice. */
async function breakDead(path: string): Promise<void> {
  const before = await stat(path).catch(() => null)
  const [host = '', pid = ''] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ')
  if (before === null || host !== hostname() || !/^\d+$/.test(pid) || isRunning(Number(pid))) return
  const after = await stat(path).catch(() => null)
  if (after?.ino === before.ino && after.mtimeMs === before.mtimeMs) await rm(path, { force: true })
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
