import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { ed25519Bytes } from '../envelope/keys.js'

/** Signature types of C2SP signed-note: a log's own, and a witness's with the time at which it saw the note. */
export const noteTypes = { log: 0x01, witness: 0x04 } as const

/** Who signs notes, as others know them. */
export interface VerifierKey {
  readonly name: string
  readonly type: number
  /** The first four bytes of the key's hash. */
  readonly hash: Buffer
  readonly key: KeyObject
}

const hashLength = 4
const ed25519Length = 32
/** SubjectPublicKeyInfo of an Ed25519 key, up to the key itself (RFC 8410). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** A key in the form of C2SP signed-note: `NAME+HASH+BASE64`. */
export function verifierKeyText(name: string, key: KeyObject, type: number = noteTypes.log): string {
  const bytes = Buffer.concat([Buffer.from([type]), ed25519Bytes(key)])
  return `${name}+${keyHash(name, bytes).toString('hex')}+${bytes.toString('base64')}`
}

/** Reads such a key; `null` for anything else, and for one whose hash is not its own. */
export function parseVerifierKey(text: string): VerifierKey | null {
  const [, name = '', hash = '', encoded = ''] =
    /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  const [type = 0] = bytes
  const isKnown = type === noteTypes.log || type === noteTypes.witness
  if (name === '' || !isKnown || bytes.length !== ed25519Length + 1) return null
  if (keyHash(name, bytes).toString('hex') !== hash) return null
  const der = Buffer.concat([spkiPrefix, bytes.subarray(1)])
  return {
    name,
    type,
    hash: Buffer.from(hash, 'hex'),
    key: createPublicKey({ key: der, format: 'der', type: 'spki' }),
  }
}

/** The hash by which a signature line names its key. */
export function keyHash(name: string, typeAndKey: Uint8Array): Buffer {
  return createHash('sha256').update(`${name}\n`).update(typeAndKey).digest().subarray(0, hashLength)
}
