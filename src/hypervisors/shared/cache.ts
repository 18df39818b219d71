import { isAbsolute, join } from 'node:path'
import { homeFolder } from '../../config/this-machine.js'

/**
 * Where images and what was learned of this machine are kept: `GUESTCERT_CACHE`, else `guestcert` in the
 * user's cache folder (XDG Base Directory Specification: a relative `XDG_CACHE_HOME` is ignored).
 */
export function defaultCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { GUESTCERT_CACHE: own, XDG_CACHE_HOME: cacheHome } = env
  if (own !== undefined && own !== '') {
    return own
  }
  return join(
    cacheHome !== undefined && isAbsolute(cacheHome) ? cacheHome : join(homeFolder(), '.cache'),
    'guestcert',
  )
}

/** The folder in which every built image has a folder of its own. */
export function imagesFolder(cacheFolder: string): string {
  return join(cacheFolder, 'images')
}

/** The folder in which every instance has a folder of its own, while it exists. */
export function instancesFolder(cacheFolder: string): string {
  return join(cacheFolder, 'qemu', 'instances')
}
