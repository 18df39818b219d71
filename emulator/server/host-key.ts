import { createHash } from 'node:crypto'
import ssh2 from 'ssh2'
import { InternalError } from '../errors.js'
import { type KeyKind, keyKinds, keysOfKind, publishedKey } from './published-keys.js'

/** A host key: its private part as ssh2 reads it, and its fingerprint as OpenSSH shows it. */
export interface HostKey {
  readonly pem: string
  /** `SHA256:…` */
  readonly fingerprint: string
}

/** Reads a private key in PEM or OpenSSH form. */
export function readHostKey(pem: string): HostKey {
  const parsed = ssh2.utils.parseKey(pem)
  if (parsed instanceof Error)
    throw new InternalError(`the emulated guest's host key cannot be read: ${parsed.message}`)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (!key) throw new InternalError("the emulated guest's host key is empty")
  const digest = createHash('sha256').update(key.getPublicSSH()).digest('base64').replace(/=+$/, '')
  return { pem, fingerprint: `SHA256:${digest}` }
}

const drawn = new Map<KeyKind, number>()

/**
 * A host key of the kind that the persona's sshd has: the next of the published ones, so that machines of one lab have
 * keys of their own, as long as they are not more than there are keys.
 */
export function makeHostKey(kind: KeyKind): HostKey {
  const number = drawn.get(kind) ?? 0
  drawn.set(kind, (number + 1) % keysOfKind)
  return readHostKey(publishedKey(kind, number))
}

/** Another published key than a machine's own. */
export function otherHostKey(kind: KeyKind, { fingerprint }: HostKey): HostKey {
  const key = makeHostKey(kind)
  return key.fingerprint === fingerprint ? makeHostKey(kind) : key
}

/** The fingerprints of all keys that emulated machines have. */
export function publishedFingerprints(): readonly string[] {
  return keyKinds.flatMap(kind =>
    Array.from({ length: keysOfKind }, (_, number) => readHostKey(publishedKey(kind, number)).fingerprint),
  )
}
