import { realpath } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { JournalEvent } from './events.js'

/**
 * Whether a path of a journal stays below the run's folder by its own words: relative, with `/`, and without `..`. A
 * journal may be a stranger's, and readers of reports open what is named there.
 */
export function staysBelow(path: string): boolean {
  return (
    path !== '' &&
    !/^\/|[\\\0]|^[A-Za-z]:/.test(path) &&
    path.split('/').every(part => part !== '..' && part !== '')
  )
}

/** Whether an absolute path, without links, lies in a folder or is it. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep)
}

/** Whether a path below a run's folder leads out of it over links. What is not there leads nowhere. */
export async function leadsOut(folder: string, path: string): Promise<boolean> {
  const real = await realpath(join(folder, path)).catch(() => null)
  return real !== null && !isInside(real, await realpath(folder))
}

/** Events without evidence that lies outside the run's folder, and the paths that were left out. */
export async function withoutStrays(
  folder: string,
  events: readonly JournalEvent[],
): Promise<{ readonly events: readonly JournalEvent[]; readonly strays: readonly string[] }> {
  const paths = new Set(
    events.flatMap(event => ('evidence' in event ? event.evidence : []).map(({ path }) => path)),
  )
  const strays = new Set<string>()
  for (const path of paths) {
    if (!staysBelow(path) || (await leadsOut(folder, path))) strays.add(path)
  }
  if (strays.size === 0) return { events, strays: [] }
  const kept = events.map(event =>
    'evidence' in event
      ? { ...event, evidence: event.evidence.filter(({ path }) => !strays.has(path)) }
      : event,
  )
  return { events: kept, strays: [...strays] }
}
