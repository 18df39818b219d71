import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { InfraError } from '../config/errors.js'
import type { Endpoint, Login } from '../config/model.js'
import { resolveCredentials } from './authentication.js'
import { hopsTo } from './hops.js'
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
  const hops = hopsTo(endpoint, login, config, sources)
  const found: string[] = []
  for (const [index, hop] of hops.entries()) {
    const where = hop.isJump ? `${label}, at the jump host ${hop.name}` : label
    // The key of an image is known only once its guest is prepared.
    if (hop.login.key?.kind !== 'image') {
      await resolveCredentials(hop, where, undefined, sources).catch((error: unknown) => {
        if (!(error instanceof InfraError)) throw error
        found.push(error.message)
      })
    }
    // Whoever is behind a jump host is looked up by that.
    if (index === 0 && isIP(hop.host.replace(/%.*$/, '')) === 0) {
      await lookup(hop.host).catch((error: NodeJS.ErrnoException) => {
        found.push(`${where}: the name ${hop.host} does not resolve (${error.code ?? error.message})`)
      })
    }
  }
  return found
}
