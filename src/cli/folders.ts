import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where built images are kept: `GUESTCERT_CACHE`, else the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { GUESTCERT_CACHE: own, XDG_CACHE_HOME: caches } = env
  return own ?? join(caches === undefined || caches === '' ? join(homedir(), '.cache') : caches, 'guestcert')
}
