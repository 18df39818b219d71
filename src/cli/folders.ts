import { join } from 'node:path'
import { homeFolder } from '../config/this-machine.js'

/** Where built images are kept: `GUESTCERT_CACHE`, else the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { GUESTCERT_CACHE: own, XDG_CACHE_HOME: caches } = env
  return (
    own ?? join(caches === undefined || caches === '' ? join(homeFolder(), '.cache') : caches, 'guestcert')
  )
}
