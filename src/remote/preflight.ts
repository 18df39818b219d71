import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { InfraError } from '../config/errors.js'
import type { Endpoint, Login } from '../config/model.js'
import { resolveCredentials } from './authentication.js'
import { legsTo } from './legs.js'
import { secretSources } from './secrets.js'
import { readSshConfig } from './ssh-config.js'
import type { ConnectOptions } from './target.js'

/** A machine that is going to be logged in to. */
export interface Planned {
  readonly label: string
  readonly endpoint: Endpoint
  readonly login: Login
}

/**
 * What will keep us from logging in to a machine, as far as this machine alone can tell: keys and passwords that
 * cannot be read, a name that does not resolve. Nobody is connected to.
 */
export async function obstacles(
  { label, endpoint, login }: Planned,
  options: ConnectOptions = {},
): Promise<readonly string[]> {
  const sources = secretSources(options)
  const path = options.sshConfigPath === undefined ? '~/.ssh/config' : options.sshConfigPath
  const config = await readSshConfig(path, sources.home, sources.environment)
  const legs = legsTo(endpoint, login, config, sources)
  const found: string[] = []
  for (const [index, leg] of legs.entries()) {
    const where = leg.isJump ? `${label}, at the jump host ${leg.name}` : label
    // The key of an image is known only once its guest is prepared.
    if (leg.login.key?.kind !== 'image') {
      await resolveCredentials(leg, where, undefined, sources).catch((error: unknown) => {
        if (!(error instanceof InfraError)) throw error
        found.push(error.message)
      })
    }
    // Whoever is behind a jump host is looked up by that.
    if (index === 0 && isIP(leg.host.replace(/%.*$/, '')) === 0) {
      await lookup(leg.host).catch((error: NodeJS.ErrnoException) => {
        found.push(`${where}: the name ${leg.host} does not resolve (${error.code ?? error.message})`)
      })
    }
  }
  return found
}
