import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { UsageError } from '../../config/errors.js'
import { sha256 } from '../canonical.js'

/** The id of a key: SHA-256 over its public part as SubjectPublicKeyInfo in DER, in hex. */
export function keyIdOf(key: KeyObject): string {
  return sha256(publicDer(key))
}

/** The public part of a key, as SubjectPublicKeyInfo in DER. */
export function publicDer(key: KeyObject): Buffer {
  const open = key.type === 'private' ? createPublicKey(key) : key
  return open.export({ type: 'spki', format: 'der' })
}

/** The 32 bytes of an Ed25519 public key. */
export function ed25519Bytes(key: KeyObject): Buffer {
  const headerLength = 12
  return publicDer(key).subarray(headerLength)
}

/**
 * Reads a private key in PEM: Ed25519, or ECDSA with P-256. An encrypted one needs its passphrase. @throws UsageError,
 * which never repeats what the file holds.
 */
export async function readPrivateKey(path: string, passphrase?: string): Promise<KeyObject> {
  const pem = await readFile(path).catch(() => {
    throw new UsageError(`cannot read the key ${path}`)
  })
  let key: KeyObject
  try {
    key = createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
  } catch {
    const isEncrypted = pem.includes('ENCRYPTED')
    const why = isEncrypted
      ? passphrase === undefined
        ? 'it is encrypted: give --passphrase env:NAME'
        : 'the passphrase is wrong'
      : 'it is not a private key in PEM'
    throw new UsageError(`cannot use the key ${path}: ${why}`)
  }
  refuseKind(key, path)
  return key
}

/** Reads a public key in PEM. @throws UsageError */
export function readPublicKey(pem: string, where: string): KeyObject {
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch {
    throw new UsageError(`${where}: expected a public key in PEM`)
  }
  refuseKind(key, where)
  return key
}

function refuseKind(key: KeyObject, where: string): void {
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (key.asymmetricKeyType !== 'ed25519' && !(key.asymmetricKeyType === 'ec' && curve === 'prime256v1')) {
    throw new UsageError(`${where}: expected an Ed25519 key, or an ECDSA key with P-256`)
  }
}
