import { homedir, hostname, userInfo } from 'node:os'
import { isAbsolute } from 'node:path'

/** What Debian writes for users without a home folder: nothing is ever found there. */
const noHome = '/nonexistent'

/**
 * The home folder of whoever runs this: `HOME`, else what the passwd entry says. In a container there may be
 * neither; then it is a folder that does not exist.
 */
export function homeFolder(): string {
  try {
    const home = homedir()
    return isAbsolute(home) ? home : noHome
  } catch {
    return noHome
  }
}

/** The name of the user id that runs this; `null` for one without a passwd entry. */
export function systemUserName(): string | null {
  try {
    return userInfo().username || null
  } catch {
    return null
  }
}

/** What this machine is called, for people; it need not have a name. */
export function machineName(): string {
  try {
    return hostname() || 'unnamed'
  } catch {
    return 'unnamed'
  }
}
