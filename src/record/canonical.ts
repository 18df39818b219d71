import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { InternalError } from '../config/errors.js'

/** A value as JSON by the JSON Canonicalization Scheme (RFC 8785): the same value has the same bytes. @throws InternalError */
export function canonicalBytes(value: unknown): Buffer {
  const text = canonicalize(value)
  if (text === undefined) throw new InternalError('what is recorded has no JSON form')
  return Buffer.from(text, 'utf8')
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** SHA-256 over a value's canonical JSON, in hex. */
export function digestOf(value: unknown): string {
  return sha256(canonicalBytes(value))
}
