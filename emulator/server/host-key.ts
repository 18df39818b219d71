import { createHash, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import ssh2 from 'ssh2'
import { InternalError } from '../errors.js'

const generate = promisify(generateKeyPair)
/** The least that OpenSSH takes. Twice as much takes 140 ms of CPU time to make, and it guards a played guest on loopback. */
const rsaBits = 1024

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

/** Makes a host key of the kind that the persona's sshd has. */
export async function makeHostKey(kind: 'rsa' | 'ed25519' | 'ecdsa'): Promise<HostKey> {
  if (kind === 'ed25519') return makeEd25519()
  if (kind === 'ecdsa') return readHostKey(ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private)
  const { privateKey } = await generate('rsa', { modulusLength: rsaBits })
  return readHostKey((privateKey as KeyObject).export({ type: 'pkcs1', format: 'pem' }).toString())
}

/** ssh2 now and then makes an Ed25519 key that it cannot read back itself: such a one is made again. */
function makeEd25519(): HostKey {
  for (;;) {
    const pem = ssh2.utils.generateKeyPairSync('ed25519').private
    if (!(ssh2.utils.parseKey(pem) instanceof Error)) return readHostKey(pem)
  }
}
