/**
 * The user's SSH configuration, as ssh_config(5) describes it and `ssh -G` reads it: HostName, Port, User,
 * IdentityFile, ProxyJump, UserKnownHostsFile and HostKeyAlias, as defaults under what the lab says. `Match exec`
 * never matches: a lab run starts no program that the lab does not name. ProxyCommand is not carried out.
 */
import { hostname, userInfo } from 'node:os'
import { InfraError } from '../config/errors.js'
import { matchesPattern } from './host-keys/known-hosts.js'
import { expandHome, type SecretSources } from './secrets.js'
import { type ConfigLine, readConfigFile } from './ssh-config-file.js'
import { messageOf } from './trouble.js'

/** What the configuration says of one host; absent where it says nothing. */
export interface SshDefaults {
  readonly hostName?: string
  readonly port?: number
  readonly user?: string
  readonly identityFiles: readonly string[]
  readonly jumps?: readonly string[]
  readonly knownHostsFiles?: readonly string[]
  readonly hostKeyAlias?: string
  /** True when there is a ProxyCommand, which is not carried out. */
  readonly hasProxyCommand: boolean
}

/** A configuration that was read. */
export interface SshConfig {
  defaultsFor(host: string): SshDefaults
}

const nothing: SshDefaults = { identityFiles: [], hasProxyCommand: false }

/** Reads a configuration; one that is not there says nothing. Throws InfraError (`connect`) when it cannot be read. */
export async function readSshConfig(
  path: string | null,
  home: string,
  environment: SecretSources['environment'] = process.env,
): Promise<SshConfig> {
  if (path === null) {
    return { defaultsFor: () => nothing }
  }
  try {
    const lines = await readConfigFile(expandHome(path, home), home)
    return { defaultsFor: host => defaultsOf(lines, host, { environment, home }) }
  } catch (error) {
    throw new InfraError(`${path} cannot be read as an SSH configuration: ${messageOf(error)}`, {
      cause: 'runner',
      where: path,
      code: 'connect',
    })
  }
}

/** What is being computed for one host: the first value of each keyword counts, identity files add up. */
class Reading {
  readonly values = new Map<string, readonly string[]>()
  readonly identityFiles: string[] = []
  wantsFinal = false
  readonly #original: string
  /** What `Host` is compared with: the name as it was given, and in the final pass the one that it stands for. */
  #host: string
  readonly #isFinal: boolean

  constructor(original: string, earlier?: Reading) {
    this.#original = original
    this.#isFinal = earlier !== undefined
    this.#host = original
    if (earlier !== undefined) {
      this.#host = earlier.hostName ?? original
      this.values = new Map([...earlier.values, ['hostname', [this.#host]]])
      this.identityFiles = [...earlier.identityFiles]
    }
  }

  get hostName(): string | undefined {
    const said = this.values.get('hostname')?.[0]
    return said?.replace(/%[%h]/g, token => (token === '%h' ? this.#host : '%'))
  }

  read(lines: readonly ConfigLine[], isActive: boolean): void {
    let active = isActive
    for (const { keyword, words, included } of lines) {
      if (keyword === 'host') {
        active = isActive && matchesList(words, this.#host)
      } else if (keyword === 'match') {
        active = this.#matches(words) && isActive
      } else if (keyword === 'include') {
        for (const file of included) {
          this.read(file, active)
        }
      } else if (active && words.length > 0) {
        this.#take(keyword, words)
      }
    }
  }

  #take(keyword: string, words: readonly string[]): void {
    const [first = ''] = words
    if (keyword === 'identityfile') {
      this.identityFiles.push(...(this.identityFiles.includes(first) ? [] : [first]))
    } else if (!this.values.has(keyword)) {
      this.values.set(keyword, words)
    }
  }

  /** `Match` with its criteria, which all must hold; each may be denied by a `!` in front. */
  #matches(words: readonly string[]): boolean {
    let holds = true
    const waiting = [...words]
    for (let word = waiting.shift(); word !== undefined; word = waiting.shift()) {
      const [, denial = '', name = '', given] = /^(!?)([a-z]+)(?:=(.*))?$/i.exec(word) ?? []
      const criterion = name.toLowerCase()
      const takesNone = criterion === 'all' || criterion === 'final' || criterion === 'canonical'
      const argument = takesNone ? '' : (given ?? waiting.shift() ?? '')
      this.wantsFinal ||= criterion === 'final'
      holds &&= this.#holds(criterion, argument) !== (denial === '!')
    }
    return holds && words.length > 0
  }

  #holds(criterion: string, argument: string): boolean {
    const list = argument.split(',')
    switch (criterion) {
      case 'all':
        return true
      case 'final':
      case 'canonical':
        return this.#isFinal
      case 'host':
        return matchesList(list, this.hostName ?? this.#host)
      case 'originalhost':
        return matchesList(list, this.#original)
      case 'user':
        return matchesList(list, this.values.get('user')?.[0] ?? localUser())
      case 'localuser':
        return matchesList(list, localUser())
      default:
        return false
    }
  }
}

/** Patterns of which one must match and none that is denied may. */
function matchesList(patterns: readonly string[], text: string): boolean {
  const name = text.toLowerCase()
  const matches = (pattern: string): boolean => matchesPattern(pattern.toLowerCase(), name)
  const denies = patterns.some(pattern => pattern.startsWith('!') && matches(pattern.slice(1)))
  return !denies && patterns.some(pattern => !pattern.startsWith('!') && matches(pattern))
}

/** A user id may have no name, as in containers: then its number is one. */
function localUser(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '')
  }
}

function defaultsOf(
  lines: readonly ConfigLine[],
  host: string,
  { environment, home }: SecretSources,
): SshDefaults {
  const first = new Reading(host)
  first.read(lines, true)
  const final = first.wantsFinal ? new Reading(host, first) : first
  if (final !== first) {
    final.read(lines, true)
  }
  const { values, hostName } = final
  const one = (name: string): string | undefined => values.get(name)?.[0]
  const user = one('user')
  const port = Number(one('port'))
  const alias = one('hostkeyalias')
  const tokens: Readonly<Record<string, () => string>> = {
    '%%': () => '%',
    '%d': () => home,
    '%h': () => hostName ?? host,
    '%i': () => String(process.getuid?.() ?? ''),
    '%k': () => alias ?? host,
    '%L': () => hostname().split('.')[0] ?? '',
    '%l': hostname,
    '%n': () => host,
    '%p': () => one('port') ?? '22',
    '%r': () => user ?? localUser(),
    '%u': localUser,
  }
  const path = (text: string): string => {
    const known = text.replace(/\$\{([^}]*)\}/g, (all, name: string) =>
      name === 'HOME' ? (environment.HOME ?? home) : (environment[name] ?? all),
    )
    return expandHome(
      known.replace(/%[%dhikLlnpru]/g, token => tokens[token]?.() ?? token),
      home,
    )
  }
  const isSaid = (file: string): boolean => file.toLowerCase() !== 'none'
  const jump = one('proxyjump')
  const knownHosts = (values.get('userknownhostsfile') ?? []).filter(isSaid)
  return {
    ...(hostName === undefined ? {} : { hostName }),
    ...(Number.isInteger(port) && port > 0 && port < 65_536 ? { port } : {}),
    ...(user === undefined ? {} : { user }),
    identityFiles: final.identityFiles.filter(isSaid).map(path),
    ...(jump === undefined ? {} : { jumps: isSaid(jump) ? jump.split(/\s*,\s*/) : [] }),
    ...(knownHosts.length === 0 ? {} : { knownHostsFiles: knownHosts.map(path) }),
    ...(alias === undefined ? {} : { hostKeyAlias: alias }),
    hasProxyCommand: isSaid(one('proxycommand') ?? 'none'),
  }
}
