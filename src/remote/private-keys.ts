/**
 * Private keys in the formats that people have: OpenSSH's own, the PEM forms of OpenSSL (PKCS#1, SEC 1 and
 * PKCS#8, plain or encrypted) and PuTTY's older one. What cannot be read is refused with the command that
 * converts it.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import ssh2, { type ParsedKey } from 'ssh2'
import { messageOf, peerText } from './trouble.js'

/** Why a key cannot be used, in words that follow its name: "the private key FILE …". */
export class UnusableKey extends Error {
  override readonly name = 'UnusableKey'
}

/** Reads a private key. Throws {@link UnusableKey}. */
export function parsePrivateKey(
  text: string | Buffer,
  passphrase: string | undefined,
  from: string,
): ParsedKey {
  const pem = text.toString()
  const readable = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(pem) ? fromPkcs8(pem, passphrase) : text
  const found = ssh2.utils.parseKey(readable, passphrase)
  const key: ParsedKey | Error | undefined = Array.isArray(found) ? found[0] : found
  if (key instanceof Error || key === undefined) {
    throw new UnusableKey(whyUnusable(pem, key, passphrase, from))
  }
  if (!key.isPrivateKey()) {
    throw new UnusableKey('is a public key; the private one is needed')
  }
  return key
}

/**
 * The same RSA key, signing with SHA-512 alone. A server announces the signatures that it can check, and may accept
 * fewer: where it refuses the usual SHA-256, this one is shown behind it. `null` for keys of other types.
 */
export function withSha512(key: ParsedKey): ParsedKey | null {
  return key.type === 'ssh-rsa'
    ? Object.create(key, {
        type: { value: 'rsa-sha2-512' },
        sign: { value: (data: Buffer) => key.sign(data, 'sha512') },
      })
    : null
}

/** Turns PKCS#8 (RFC 5208) into a form that ssh2 reads: unencrypted, and never written anywhere. */
function fromPkcs8(pem: string, passphrase: string | undefined): string {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (error) {
    throw new UnusableKey(
      /ENCRYPTED/.test(pem)
        ? encrypted(passphrase)
        : `cannot be read as a PKCS#8 key: ${peerText(messageOf(error))}`,
    )
  }
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' }).toString()
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' }).toString()
    case 'ed25519':
      return opensshEd25519(key)
    default:
      throw new UnusableKey(`is of the type ${key.asymmetricKeyType ?? 'unknown'}, which SSH does not use`)
  }
}

/** The `openssh-key-v1` container (PROTOCOL.key of OpenSSH), which is the only PEM form of Ed25519 that ssh2 reads. */
function opensshEd25519(key: KeyObject): string {
  const { d = '', x = '' } = key.export({ format: 'jwk' })
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]
  const publicKey = Buffer.concat([field('ssh-ed25519'), field(point)])
  const check = Buffer.alloc(8)
  const unpadded = Buffer.concat([check, publicKey, field(Buffer.concat([seed, point])), field('')])
  const padding = Buffer.from(
    Array.from({ length: (8 - (unpadded.length % 8)) % 8 }, (_, index) => index + 1),
  )
  const one = Buffer.alloc(4)
  one.writeUInt32BE(1)
  const container = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    one,
    field(publicKey),
    field(Buffer.concat([unpadded, padding])),
  ])
  const lines = container.toString('base64').match(/.{1,70}/g) ?? []
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n')
}

/** A string of the SSH wire format: its length in four bytes, then itself. */
function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function whyUnusable(
  pem: string,
  error: Error | undefined,
  passphrase: string | undefined,
  from: string,
): string {
  const text = error?.message ?? 'holds no key'
  if (pem.startsWith('PuTTY-User-Key-File-')) {
    const convert = `puttygen ${from} -O private-openssh -o ${from.replace(/\.ppk$/i, '')}.openssh`
    return `is a PuTTY key that cannot be read here; convert it: ${convert}`
  }
  if (/BEGIN SSH2 (ENCRYPTED )?PRIVATE KEY/.test(pem)) {
    return `is in the format of ssh.com; convert it: ssh-keygen -i -f ${from} > ${from}.openssh`
  }
  if (/encrypted|passphrase|integrity|bad decrypt/i.test(text)) {
    return encrypted(passphrase)
  }
  if (/sk-(ssh|ecdsa)/.test(text) || isSecurityKey(pem)) {
    return 'belongs to a hardware security key (FIDO), which guestcert cannot use; name another key'
  }
  return `cannot be used: ${peerText(text)}`
}

function encrypted(passphrase: string | undefined): string {
  return passphrase === undefined
    ? 'is encrypted; name its passphrase in the lab (passphrase: env:… or file:…)'
    : 'cannot be decrypted with the passphrase given'
}

function isSecurityKey(pem: string): boolean {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(pem)?.[1]
  return body !== undefined && Buffer.from(body, 'base64').includes('sk-')
}
