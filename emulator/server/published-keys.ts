import { checkPrimeSync, createECDH, createHash, createPrivateKey, createPublicKey } from 'node:crypto'

/** The kinds of host keys that personas have. */
export type KeyKind = 'rsa' | 'ed25519' | 'ecdsa'

export const keyKinds: readonly KeyKind[] = ['rsa', 'ed25519', 'ecdsa']

/** How many keys of each kind there are. */
export const keysOfKind = 32

/** The least that OpenSSH takes. Twice as much takes several times as long to make, and it guards a played guest on loopback. */
const rsaBits = 1024
const rsaExponent = 65537n
/** Rounds of Miller and Rabin: numbers of this size that pass them and are no primes are not to be found. */
const checks = 24

/**
 * The private key of that number, in the form that ssh2 reads. All of it follows from the number, so anyone can make it:
 * whoever proves such a key is an emulated machine, and nobody mistakes it for another.
 */
export function publishedKey(kind: KeyKind, number: number): string {
  const name = `guestcert emulator host key ${kind} ${number}`
  if (kind === 'rsa') return rsa(name)
  return kind === 'ed25519' ? ed25519(name) : ecdsa(name)
}

/** The first `bytes` of a stream that follows from a text: SHA-256 in counter mode. */
function stream(text: string, bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, index) =>
    createHash('sha256').update(`${text} ${index}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, bytes)
}

function rsa(name: string): string {
  const [p, q] = [primeFrom(`${name} p`), primeFrom(`${name} q`)]
  const d = inverse(rsaExponent, (p - 1n) * (q - 1n))
  const jwk = { n: p * q, e: rsaExponent, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  const parts = Object.entries(jwk).map(([part, value]) => [part, bytesOf(value).toString('base64url')])
  const key = createPrivateKey({ format: 'jwk', key: { kty: 'RSA', ...Object.fromEntries(parts) } })
  return key.export({ type: 'pkcs1', format: 'pem' }).toString()
}

/** The first prime, not below what follows from a text, that RSA's exponent goes with. Its two upper bits are set. */
function primeFrom(name: string): bigint {
  const bits = BigInt(rsaBits / 2)
  const start = BigInt(`0x${stream(name, rsaBits / 16).toString('hex')}`)
  let candidate = start | (3n << (bits - 2n)) | 1n
  while ((candidate - 1n) % rsaExponent === 0n || !checkPrimeSync(candidate, { checks })) candidate += 2n
  return candidate
}

/** The inverse of a number modulo another, by Euclid. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [rest, next] = [modulus, value % modulus]
  let [before, factor] = [0n, 1n]
  while (next !== 0n) {
    const quotient = rest / next
    ;[rest, next] = [next, rest - quotient * next]
    ;[before, factor] = [factor, before - quotient * factor]
  }
  return ((before % modulus) + modulus) % modulus
}

function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

function ecdsa(name: string): string {
  const pair = createECDH('prime256v1')
  pair.setPrivateKey(stream(name, 32))
  const point = pair.getPublicKey()
  const [x, y] = [point.subarray(1, 33), point.subarray(33)]
  const parts = Object.entries({ x, y, d: pair.getPrivateKey() }).map(([part, value]) => [
    part,
    value.toString('base64url'),
  ])
  const key = createPrivateKey({
    format: 'jwk',
    key: { kty: 'EC', crv: 'P-256', ...Object.fromEntries(parts) },
  })
  return key.export({ type: 'sec1', format: 'pem' }).toString()
}

/** PKCS #8 of an Ed25519 key, before its 32 bytes (RFC 8410). */
const ed25519Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** In OpenSSH's own form (its PROTOCOL.key): ssh2 reads Ed25519 keys in no other. */
function ed25519(name: string): string {
  const seed = stream(name, 32)
  const key = createPrivateKey({ format: 'der', type: 'pkcs8', key: Buffer.concat([ed25519Head, seed]) })
  const point = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  const type = Buffer.from('ssh-ed25519')
  const check = stream(`${name} check`, 4)
  const secret = Buffer.concat([
    check,
    check,
    field(type),
    field(point),
    field(Buffer.concat([seed, point])),
    field(Buffer.alloc(0)),
  ])
  const block = 8
  const padding = Buffer.from(
    Array.from({ length: (block - (secret.length % block)) % block }, (_, at) => at + 1),
  )
  const none = field(Buffer.from('none'))
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    none,
    none,
    field(Buffer.alloc(0)),
    Buffer.from([0, 0, 0, 1]),
    field(Buffer.concat([field(type), field(point)])),
    field(Buffer.concat([secret, padding])),
  ])
  const lines = body.toString('base64').match(/.{1,70}/g) ?? []
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`
}

function field(content: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, content])
}
