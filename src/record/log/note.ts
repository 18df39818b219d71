import { type KeyObject, sign, verify } from 'node:crypto'
import { ed25519Bytes } from '../envelope/keys.js'
import { keyHash, noteTypes, type VerifierKey } from './note-keys.js'

/** A signature line of a note. */
export interface NoteSignature {
  readonly name: string
  readonly hash: Buffer
  readonly signature: Buffer
}

/** A signed note (C2SP signed-note): a text, and signatures of it. */
export interface Note {
  /** Ends with a newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

const hashLength = 4
const timeLength = 8

/** Signs a note as a log does. */
export function signNote(text: string, name: string, key: KeyObject): NoteSignature {
  return {
    name,
    hash: hashOf(name, noteTypes.log, key),
    signature: sign(null, Buffer.from(text, 'utf8'), key),
  }
}

/** Cosigns a note as a witness does (C2SP tlog-cosignature): with the time at which it was seen. */
export function cosignNote(text: string, name: string, key: KeyObject, seconds: number): NoteSignature {
  const time = Buffer.alloc(timeLength)
  time.writeBigUInt64BE(BigInt(seconds))
  const signature = Buffer.concat([time, sign(null, cosigned(text, seconds), key)])
  return { name, hash: hashOf(name, noteTypes.witness, key), signature }
}

/** A note as text. */
export function formatNote({ text, signatures }: Note): string {
  const lines = signatures.map(
    ({ name, hash, signature }) => `— ${name} ${Buffer.concat([hash, signature]).toString('base64')}\n`,
  )
  return `${text}\n${lines.join('')}`
}

/** Reads a note; `null` for anything else. */
export function parseNote(note: string): Note | null {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return null
  const signatures: NoteSignature[] = []
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name = '', encoded = ''] = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? []
    const bytes = Buffer.from(encoded, 'base64')
    if (name === '' || bytes.length <= hashLength) return null
    signatures.push({ name, hash: bytes.subarray(0, hashLength), signature: bytes.subarray(hashLength) })
  }
  return { text: note.slice(0, end + 1), signatures }
}

/** Whether a note bears a signature of a key that holds; of a witness's, when it was seen. */
export function verifyNote(
  { text, signatures }: Note,
  by: VerifierKey,
): { readonly atSec: number | null } | null {
  for (const { name, hash, signature } of signatures) {
    if (name !== by.name || !hash.equals(by.hash)) continue
    if (by.type === noteTypes.log) {
      if (verify(null, Buffer.from(text, 'utf8'), by.key, signature)) return { atSec: null }
    } else if (signature.length > timeLength) {
      const atSec = Number(signature.readBigUInt64BE(0))
      if (verify(null, cosigned(text, atSec), by.key, signature.subarray(timeLength))) return { atSec }
    }
  }
  return null
}

function cosigned(text: string, seconds: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`, 'utf8')
}

function hashOf(name: string, type: number, key: KeyObject): Buffer {
  return keyHash(name, Buffer.concat([Buffer.from([type]), ed25519Bytes(key)]))
}
