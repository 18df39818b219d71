/**
 * The `known_hosts` format of OpenSSH, as sshd(8) describes it under SSH_KNOWN_HOSTS FILE FORMAT:
 * plain and hashed names, `[host]:port`, wildcards, negation, `@revoked` and `@cert-authority`.
 */
import { createHmac } from 'node:crypto'
import { isSame, typeOfKey } from './fingerprint.js'

/** One line that could be read. */
export interface KnownHost {
  readonly line: number
  readonly marker: 'none' | 'revoked' | 'cert-authority'
  readonly type: string
  readonly key: Buffer
  /** Whether the line speaks of this name, which is as {@link knownHostName} makes it. */
  readonly matches: (name: string) => boolean
}

/** What a file holds, and the numbers of the lines that make no sense and are passed over. */
export interface KnownHosts {
  readonly entries: readonly KnownHost[]
  readonly unreadable: readonly number[]
}

const markers = { '@revoked': 'revoked', '@cert-authority': 'cert-authority' } as const
const standardPort = 22

/**
 * The name under which a host stands in `known_hosts`: `host`, or `[host]:port` for a port that is
 * not 22. An alias is taken as it is. Unlike ssh(1), a plain `host` line does not vouch for its
 * other ports.
 */
export function knownHostName(host: string, port: number, alias?: string): string {
  const plain = (alias ?? host).toLowerCase().replace(/^\[(.*)\]$/, '$1')
  return alias !== undefined || port === standardPort ? plain : `[${plain}]:${port}`
}

/** Reads a whole file. Never throws: what cannot be read is listed. */
export function parseKnownHosts(text: string): KnownHosts {
  const entries: KnownHost[] = []
  const unreadable: number[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '').trim()
    if (line === '' || line.startsWith('#')) {
      continue
    }
    const entry = parseLine(line, index + 1)
    if (entry === null) {
      unreadable.push(index + 1)
    } else {
      entries.push(entry)
    }
  }
  return { entries, unreadable }
}

function parseLine(text: string, line: number): KnownHost | null {
  const words = text.split(/[ \t]+/)
  const marker = text.startsWith('@') ? markerOf(words.shift() ?? '') : 'none'
  const [names, type, encoded] = words
  if (marker === null || names === undefined || type === undefined || encoded === undefined) {
    return null
  }
  const key = decodeBase64(encoded)
  const matches = names.startsWith('|') ? hashedMatcher(names) : patternMatcher(names)
  return key === null || matches === null || typeOfKey(key) !== type
    ? null
    : { line, marker, type, key, matches }
}

function markerOf(word: string): KnownHost['marker'] | null {
  return word === '@revoked' || word === '@cert-authority' ? markers[word] : null
}

function decodeBase64(text: string): Buffer | null {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : null
}

/** `|1|salt|hash`: HMAC-SHA1 of the name under the salt. */
function hashedMatcher(field: string): KnownHost['matches'] | null {
  const [, version, saltText = '', hashText = '', ...more] = field.split('|')
  const salt = decodeBase64(saltText)
  const hash = decodeBase64(hashText)
  if (version !== '1' || salt === null || hash === null || more.length > 0) {
    return null
  }
  return name => isSame(createHmac('sha1', salt).update(name).digest(), hash)
}

/** Patterns between commas; one that begins with `!` and matches rules the whole line out. */
function patternMatcher(field: string): KnownHost['matches'] {
  const patterns = field
    .toLowerCase()
    .split(',')
    .filter(pattern => pattern !== '')
  return name => {
    const rulesOut = patterns.some(
      pattern => pattern.startsWith('!') && matchesPattern(pattern.slice(1), name),
    )
    return !rulesOut && patterns.some(pattern => !pattern.startsWith('!') && matchesPattern(pattern, name))
  }
}

/** `*` for any text, `?` for one character, all else for itself. Linear in memory, never recursive. */
export function matchesPattern(pattern: string, text: string): boolean {
  let [at, inText] = [0, 0]
  let star: { pattern: number; text: number } | null = null
  while (inText < text.length) {
    const wanted = pattern[at]
    if (wanted === '*') {
      star = { pattern: at, text: inText }
      at += 1
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[inText])) {
      at += 1
      inText += 1
    } else if (star !== null) {
      star = { pattern: star.pattern, text: star.text + 1 }
      at = star.pattern + 1
      inText = star.text
    } else {
      return false
    }
  }
  return /^\**$/.test(pattern.slice(at))
}
