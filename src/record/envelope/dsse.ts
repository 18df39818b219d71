import { type KeyObject, sign as signBytes, verify as verifyBytes } from 'node:crypto'
import { z } from 'zod'
import { canonicalBytes } from '../canonical.js'
import type { InTotoStatement } from '../statement/types.js'
import { keyIdOf } from './keys.js'

/** The payload type of in-toto statements. */
export const inTotoPayload = 'application/vnd.in-toto+json'

const envelopeSchema = z.strictObject({
  payload: z.string(),
  payloadType: z.string(),
  signatures: z.array(z.strictObject({ keyid: z.string(), sig: z.string() })).min(1),
})

/** A signed statement: a DSSE envelope, version 1. */
export type Envelope = z.infer<typeof envelopeSchema>

/** What is signed: the pre-authentication encoding of DSSE v1. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8')
  const head = `DSSEv1 ${type.length} ${payloadType} ${payload.length} `
  return Buffer.concat([Buffer.from(head, 'utf8'), payload])
}

/** Signs a statement with an Ed25519 or ECDSA P-256 key. */
export function seal(statement: InTotoStatement, key: KeyObject): Envelope {
  const payload = canonicalBytes(statement)
  const sig = signBytes(hashFor(key), preAuthEncoding(inTotoPayload, payload), key)
  return {
    payload: payload.toString('base64'),
    payloadType: inTotoPayload,
    signatures: [{ keyid: keyIdOf(key), sig: sig.toString('base64') }],
  }
}

/** Reads an envelope; `null` for anything else. */
export function parseEnvelope(bytes: Buffer): Envelope | null {
  try {
    return envelopeSchema.parse(JSON.parse(bytes.toString('utf8')))
  } catch {
    return null
  }
}

/** The statement in an envelope, whoever signed it; `null` when it holds none. */
export function statementIn({ payload, payloadType }: Envelope): InTotoStatement | null {
  if (payloadType !== inTotoPayload) return null
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'))
    return isStatement(value) ? value : null
  } catch {
    return null
  }
}

/** The ids of those of the keys whose signatures of an envelope hold. */
export function signersOf(envelope: Envelope, keys: ReadonlyMap<string, KeyObject>): readonly string[] {
  const signed = preAuthEncoding(envelope.payloadType, Buffer.from(envelope.payload, 'base64'))
  const holds = ({ keyid, sig }: Envelope['signatures'][number]): boolean => {
    const key = keys.get(keyid)
    return key !== undefined && verifyBytes(hashFor(key), signed, key, Buffer.from(sig, 'base64'))
  }
  return [...new Set(envelope.signatures.filter(holds).map(({ keyid }) => keyid))]
}

/** Ed25519 hashes by itself; ECDSA is used with SHA-256. */
function hashFor(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
}

function isStatement(value: unknown): value is InTotoStatement {
  const { _type, subject, predicateType, predicate } = (value ?? {}) as Partial<Record<string, unknown>>
  return (
    _type === 'https://in-toto.io/Statement/v1' &&
    Array.isArray(subject) &&
    typeof predicateType === 'string' &&
    typeof predicate === 'object' &&
    predicate !== null
  )
}
