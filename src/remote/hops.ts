import type { Endpoint, HostKeyRule, Login } from '../config/model.js'
import { readAddress } from '../config/references.js'
import { expandHome, type SecretSources } from './secrets.js'
import type { SshConfig, SshDefaults } from './ssh-config.js'

/** One machine on the way, the last one being the target itself. */
export interface Hop {
  readonly host: string
  readonly port: number
  readonly login: Login
  /** Keys of the user's configuration, tried when the login names none. */
  readonly identityFiles: readonly string[]
  readonly hostKeyAlias?: string
  readonly knownHostsFiles?: readonly string[]
  /** Host names as the user wrote them, for messages. */
  readonly name: string
  readonly isJump: boolean
  readonly hasProxyCommand: boolean
}

const standardPort = 22
/** Where ssh keeps the keys that it knows. */
export const defaultKnownHosts = '~/.ssh/known_hosts'

/**
 * The way to an endpoint, hop by hop. The lab's own words stand above the user's configuration; port
 * 22 counts as unsaid. A jump is entered with its own keys of the configuration, else with the
 * target's key (never with its password), and its host key is looked up in `known_hosts`, whatever
 * is agreed for the target.
 */
export function hopsTo(endpoint: Endpoint, login: Login, config: SshConfig, sources: SecretSources): Hop[] {
  const defaults = config.defaultsFor(endpoint.host)
  const jumps = endpoint.jumps.length > 0 ? endpoint.jumps : (defaults.jumps ?? [])
  const isDefaultFile =
    login.hostKey.kind === 'known-hosts' &&
    expandHome(login.hostKey.path, sources.home) === expandHome(defaultKnownHosts, sources.home)
  const { knownHostsFiles, ...rest } = defaults
  const target = hopOf(endpoint.host, endpoint.port, login, {
    ...rest,
    ...(isDefaultFile && knownHostsFiles !== undefined ? { knownHostsFiles } : {}),
  })
  return [...jumps.map(jump => jumpHop(jump, login, config)), { ...target, isJump: false }]
}

function jumpHop(text: string, login: Login, config: SshConfig): Hop {
  const { user, host, port } = parseJump(text)
  const defaults = config.defaultsFor(host)
  const hostKey: HostKeyRule =
    login.hostKey.kind === 'known-hosts' ? login.hostKey : { kind: 'known-hosts', path: defaultKnownHosts }
  const ownKey = defaults.identityFiles.length > 0 || login.key?.kind === 'image' ? undefined : login.key
  const jumpLogin: Login = {
    user: user ?? defaults.user ?? login.user,
    ...(ownKey === undefined ? {} : { key: ownKey }),
    ...(ownKey === undefined || login.passphrase === undefined ? {} : { passphrase: login.passphrase }),
    algorithms: 'modern',
    hostKey,
  }
  return { ...hopOf(host, port ?? standardPort, jumpLogin, defaults), isJump: true }
}

function hopOf(host: string, port: number, login: Login, defaults: SshDefaults): Omit<Hop, 'isJump'> {
  const { hostName, hostKeyAlias, knownHostsFiles, identityFiles, hasProxyCommand } = defaults
  return {
    host: hostName ?? host,
    port: port === standardPort ? (defaults.port ?? port) : port,
    login,
    identityFiles,
    ...(hostKeyAlias === undefined ? {} : { hostKeyAlias }),
    ...(knownHostsFiles === undefined ? {} : { knownHostsFiles }),
    name: host,
    hasProxyCommand,
  }
}

/** `[user@]host[:port]`, also with `ssh://` in front; the address is as {@link readAddress} reads it. */
export function parseJump(text: string): { user?: string; host: string; port?: number } {
  const bare = text.replace(/^ssh:\/\//, '').replace(/\/$/, '')
  const at = bare.lastIndexOf('@')
  const user = at < 0 ? undefined : bare.slice(0, at)
  const address = bare.slice(at + 1)
  const { host, port } = readAddress(address) ?? { host: address, port: null }
  return { host, ...(user === undefined ? {} : { user }), ...(port === null ? {} : { port }) }
}
