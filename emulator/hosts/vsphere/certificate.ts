import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'

/** A key and the certificate that its owner has signed for himself, in PEM. */
export interface OwnCertificate {
  readonly key: string
  readonly cert: string
  /** Its SHA-256, in lower-case hexadecimal digits. */
  readonly sha256: string
}

const [sequenceTag, setTag, integerTag, bitsTag, oidTag, textTag, timeTag, versionTag] = [
  0x30, 0x31, 0x02, 0x03, 0x06, 0x0c, 0x17, 0xa0,
]
/** ecdsa-with-SHA256 (RFC 5758) and id-at-commonName (RFC 5280). */
const ecdsaSha256 = der(oidTag, Buffer.from('2a8648ce3d040302', 'hex'))
const commonName = der(oidTag, Buffer.from('550403', 'hex'))
const [notBefore, notAfter] = ['200101000000Z', '491231235959Z']

/** Makes a certificate as a vCenter has one from its installation: signed by nobody else (RFC 5280). */
export function makeCertificate(name: string): OwnCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = sequence(der(setTag, sequence(commonName, der(textTag, Buffer.from(name)))))
  const algorithm = sequence(ecdsaSha256)
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(8)])
  const toSign = sequence(
    der(versionTag, der(integerTag, Buffer.from([2]))),
    der(integerTag, serial),
    algorithm,
    subject,
    sequence(der(timeTag, Buffer.from(notBefore)), der(timeTag, Buffer.from(notAfter))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', toSign, privateKey)])
  const certificate = new X509Certificate(sequence(toSign, algorithm, der(bitsTag, signature)))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: certificate.toString(),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(sequenceTag, Buffer.concat(parts))
}

/** A value in the distinguished encoding rules (X.690): its tag, its length, and itself. */
function der(tag: number, value: Buffer): Buffer {
  const { length } = value
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), value])
}
