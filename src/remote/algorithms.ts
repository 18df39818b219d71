import type { ServerHostKeyAlgorithm, Algorithms as Ssh2Algorithms } from 'ssh2'
import type { Algorithms } from '../config/model.js'

/** The kinds of host key: one private key on the server serves all algorithms of its kind. */
export type HostKeyKind = 'ed25519' | 'ecdsa' | 'rsa' | 'dss'

const modernHostKeys: Readonly<Record<HostKeyKind, readonly ServerHostKeyAlgorithm[]>> = {
  ed25519: ['ssh-ed25519'],
  ecdsa: ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  rsa: ['rsa-sha2-512', 'rsa-sha2-256'],
  dss: [],
}

const legacyHostKeys: Readonly<Record<HostKeyKind, readonly ServerHostKeyAlgorithm[]>> = {
  ...modernHostKeys,
  rsa: [...modernHostKeys.rsa, 'ssh-rsa'],
  dss: ['ssh-dss'],
}

const kinds: readonly HostKeyKind[] = ['ed25519', 'ecdsa', 'rsa', 'dss']

/** The kind of a key type as it stands in `known_hosts`; `null` for types that are not spoken. */
export function kindOfKey(type: string): HostKeyKind | null {
  if (type === 'ssh-rsa') {
    return 'rsa'
  }
  return kinds.find(kind => legacyHostKeys[kind].some(algorithm => algorithm === type)) ?? null
}

/** How the host-key algorithms are put in order. */
export interface HostKeyOrder {
  /** Key types that are known to be right, as in `known_hosts`: offered first. */
  readonly first: readonly string[]
  /** Kinds that were already seen to be wrong: not offered again. */
  readonly without: ReadonlySet<HostKeyKind>
}

/** The host-key algorithms to offer, in order. Empty when every kind is ruled out. */
export function hostKeyAlgorithms(
  set: Algorithms,
  { first, without }: HostKeyOrder,
): ServerHostKeyAlgorithm[] {
  const table = set === 'legacy' ? legacyHostKeys : modernHostKeys
  const all = kinds.filter(kind => !without.has(kind)).flatMap(kind => [...table[kind]])
  const known = (algorithm: ServerHostKeyAlgorithm): boolean =>
    first.includes(algorithm) || (first.includes('ssh-rsa') && table.rsa.includes(algorithm))
  return [...all.filter(known), ...all.filter(algorithm => !known(algorithm))]
}

/**
 * What is offered to a machine. `modern` has no SHA-1 key exchange, signature or MAC and no CBC
 * cipher; `legacy` adds, behind the modern ones, what OpenSSH 3 and 4 speak: Red Hat Enterprise
 * Linux 4 to 6, SUSE Linux Enterprise 10 and 11. Group-exchange with SHA-1 stands behind group 14,
 * because its primes are the server's choice.
 */
export function algorithmsFor(set: Algorithms, order: HostKeyOrder): Ssh2Algorithms {
  const serverHostKey = hostKeyAlgorithms(set, order)
  if (set === 'modern') {
    return {
      serverHostKey,
      hmac: { append: [], prepend: [], remove: ['hmac-sha1', 'hmac-sha1-etm@openssh.com'] },
      compress: ['none'],
    }
  }
  return {
    serverHostKey,
    kex: {
      append: [
        'diffie-hellman-group14-sha1',
        'diffie-hellman-group-exchange-sha1',
        'diffie-hellman-group1-sha1',
      ],
      prepend: [],
      remove: [],
    },
    cipher: { append: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'], prepend: [], remove: [] },
    compress: ['none'],
  }
}
