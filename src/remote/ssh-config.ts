/**
 * The user's SSH configuration, as ssh_config(5) describes it: HostName, Port, User, IdentityFile,
 * ProxyJump, UserKnownHostsFile and HostKeyAlias, as defaults under what the lab says.
 * `Include` is followed where no Host or Match stands before it. `Match exec` never matches: a lab
 * run starts no program that the lab does not name. ProxyCommand is not carried out.
 */
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import SSHConfig from 'ssh-config'
import { InfraError } from '../config/errors.js'
import { systemUserName } from '../config/this-machine.js'
import { matchesPattern } from './host-keys/known-hosts.js'
import { expandHome } from './secrets.js'
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

const deepestInclude = 16
const nothing: SshDefaults = { identityFiles: [], hasProxyCommand: false }

/** Reads a configuration; one that is not there says nothing. Throws InfraError (`connect`) when it cannot be read. */
export async function readSshConfig(path: string | null, home: string): Promise<SshConfig> {
  if (path === null) {
    return { defaultsFor: () => nothing }
  }
  try {
    const text = await withIncludes(expandHome(path, home), home, 0)
    const config = SSHConfig.parse(text)
    return { defaultsFor: host => defaultsOf(config, host, home) }
  } catch (error) {
    throw new InfraError(`${path} cannot be read as an SSH configuration: ${messageOf(error)}`, {
      cause: 'runner',
      where: path,
      code: 'connect',
    })
  }
}

async function withIncludes(path: string, home: string, depth: number): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
      return ''
    }
    throw error
  })
  const lines: string[] = []
  let isGlobal = true
  for (const line of text.split(/\r?\n/)) {
    isGlobal &&= !/^\s*(host|match)\b/i.test(line)
    const pattern = /^\s*include[\s=]+(.*?)\s*$/i.exec(line)?.[1]
    if (pattern === undefined) {
      lines.push(line)
    } else if (isGlobal && depth < deepestInclude) {
      for (const file of await filesOf(pattern, home)) {
        // Sections of the included file end with it.
        lines.push(await withIncludes(file, home, depth + 1), 'Match all')
      }
    }
  }
  return lines.join('\n')
}

/** Wildcards are understood in the last part of a path; what is relative stands in `~/.ssh`. */
async function filesOf(patterns: string, home: string): Promise<string[]> {
  const files: string[] = []
  for (const raw of patterns.split(/\s+/)) {
    const expanded = expandHome(raw.replace(/^"(.*)"$/, '$1'), home)
    const path = isAbsolute(expanded) ? expanded : join(home, '.ssh', expanded)
    const names = /[*?]/.test(basename(path))
      ? (await readdir(dirname(path)).catch(() => []))
          .filter(name => !name.startsWith('.') && matchesPattern(basename(path), name))
          .sort()
      : [basename(path)]
    files.push(...names.map(name => join(dirname(path), name)))
  }
  return files
}

function defaultsOf(config: SSHConfig, host: string, home: string): SshDefaults {
  const found = config.compute(host, { ignoreCase: true, matchExec: false })
  const one = (name: string): string | undefined => listOf(found[name])[0]
  const hostName = one('hostname')?.replaceAll('%h', host).replaceAll('%%', '%')
  const user = one('user')
  const tokens: Readonly<Record<string, string>> = {
    '%%': '%',
    '%d': home,
    '%h': hostName ?? host,
    '%n': host,
    '%p': one('port') ?? '22',
    '%r': user ?? '',
  }
  const path = (text: string): string =>
    expandHome(
      text.replace(/%[%dhnpru]/g, token => (token === '%u' ? ownName() : tokens[token]) ?? token),
      home,
    )
  const port = Number(one('port'))
  const jump = one('proxyjump')
  const knownHosts = listOf(found.userknownhostsfile).filter(file => file.toLowerCase() !== 'none')
  const alias = one('hostkeyalias')
  return {
    ...(hostName === undefined ? {} : { hostName }),
    ...(Number.isInteger(port) && port > 0 && port < 65_536 ? { port } : {}),
    ...(user === undefined ? {} : { user }),
    identityFiles: listOf(found.identityfile)
      .filter(file => file.toLowerCase() !== 'none')
      .map(path),
    ...(jump === undefined ? {} : { jumps: jump.toLowerCase() === 'none' ? [] : jump.split(/\s*,\s*/) }),
    ...(knownHosts.length === 0 ? {} : { knownHostsFiles: knownHosts.map(path) }),
    ...(alias === undefined ? {} : { hostKeyAlias: alias }),
    hasProxyCommand: (one('proxycommand') ?? 'none').toLowerCase() !== 'none',
  }
}

/** Asked only where a file says `%u`: a user id without a passwd entry has no name. */
function ownName(): string {
  const name = systemUserName()
  if (name === null) {
    throw new InfraError(
      `the SSH configuration says %u, the name of the user who runs this, and user id ${process.getuid?.()} has none`,
      { cause: 'runner', where: 'the SSH configuration', code: 'connect' },
    )
  }
  return name
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}
