import { createHash, timingSafeEqual } from 'node:crypto'

/** `SHA256:` and the base64 digest without padding, as `ssh-keygen -l` prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The type inside a public key in SSH's wire form (RFC 4253, 6.6); `null` when it is none. */
export function typeOfKey(key: Buffer): string | null {
  if (key.length < 4) {
    return null
  }
  const length = key.readUInt32BE(0)
  const type = key.subarray(4, 4 + length).toString('latin1')
  return type.length === length && /^[a-z0-9@.-]{1,64}$/.test(type) ? type : null
}

/** Compares without telling by its time where two values differ. */
export function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** {@link isSame} for fingerprints; base64 padding is of no account. */
export function isSameFingerprint(a: string, b: string): boolean {
  const bytes = (text: string): Buffer => Buffer.from(text.trim().replace(/=+$/, ''), 'utf8')
  return isSame(bytes(a), bytes(b))
}
