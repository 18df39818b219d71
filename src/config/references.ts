import { isAbsolute, join, resolve } from 'node:path'
import type { Endpoint, HostKeyRule, KeyReference, SecretReference } from './model.js'
import { homeFolder } from './this-machine.js'

const defaultSshPort = 22
const highestPort = 65_535
/** Beside the lab file: the host keys that `accept-new` took. */
const acceptedFile = 'guestcert.known_hosts'

/** Makes `~/x` and paths relative to a folder absolute. */
export function resolvePath(path: string, folder: string): string {
  if (path === '~' || path.startsWith('~/')) {
    return join(homeFolder(), path.slice(1))
  }
  return isAbsolute(path) ? path : resolve(folder, path)
}

/** `env:NAME` or `file:PATH`; the schema has checked the form. */
export function readSecretReference(text: string, folder: string): SecretReference {
  return text.startsWith('env:')
    ? { kind: 'env', name: text.slice('env:'.length) }
    : { kind: 'file', path: resolvePath(text.slice('file:'.length), folder) }
}

/** `agent`, `agent:FINGERPRINT`, `agent:COMMENT`, `agent:PATH.pub`, `image`, or a secret; the schema has checked the form. */
export function readKeyReference(text: string, folder: string): KeyReference {
  if (text.startsWith('agent:')) {
    const which = text.slice('agent:'.length)
    const isFile = !which.startsWith('SHA256:') && which.endsWith('.pub')
    return { kind: 'agent', which: isFile ? resolvePath(which, folder) : which }
  }
  return text === 'agent' || text === 'image' ? { kind: text } : readSecretReference(text, folder)
}

export function readHostKeyRule(text: string, folder: string): HostKeyRule {
  if (text === 'accept-new') {
    return { kind: 'accept-new', path: join(folder, acceptedFile) }
  }
  if (text === 'image') {
    return { kind: 'image' }
  }
  if (text.startsWith('SHA256:')) {
    return { kind: 'pinned', fingerprint: text.replace(/=$/, '') }
  }
  const path = text.startsWith('known_hosts:') ? text.slice('known_hosts:'.length) : '~/.ssh/known_hosts'
  return { kind: 'known-hosts', path: resolvePath(path, folder) }
}

/**
 * Reads `host`, `host:port` or `[ipv6]:port`, an IPv6 address with a scope behind it (RFC 4007: `fe80::1%eth0`) as well;
 * `null` when it is none of them.
 */
export function readAddress(text: string): { host: string; port: number | null } | null {
  const bracketed = /^\[([0-9a-fA-F:.]+(?:%[^\s%/[\]]+)?)\](?::(\d+))?$/.exec(text)
  const plain = /^([^\s:@[\]]+)(?::(\d+))?$/.exec(text)
  const bareIpv6 = /^[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%[^\s%/[\]]+)?$/.test(text)
  const [, host, portText] = bracketed ?? plain ?? (bareIpv6 ? [text, text] : [])
  if (host === undefined) {
    return null
  }
  const port = portText === undefined ? null : Number(portText)
  return port !== null && (port < 1 || port > highestPort) ? null : { host, port }
}

/** An address with the jumps in front of it. A missing port is left to `~/.ssh/config`, then 22. */
export function endpointOf(
  address: { host: string; port: number | null },
  jump: string | readonly string[] | undefined,
): Endpoint {
  const jumps =
    jump === undefined ? [] : typeof jump === 'string' ? jump.split(',').map(part => part.trim()) : jump
  return { host: address.host, port: address.port ?? defaultSshPort, jumps }
}
