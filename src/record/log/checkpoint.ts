import type { KeyObject } from 'node:crypto'
import { formatNote, type Note, parseNote, signNote, verifyNote } from './note.js'
import type { VerifierKey } from './note-keys.js'

/** A head of a log (C2SP tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

/** A head as a signed note. */
export function signCheckpoint({ origin, size, root }: Checkpoint, name: string, key: KeyObject): string {
  const text = `${origin}\n${size}\n${root.toString('base64')}\n`
  return formatNote({ text, signatures: [signNote(text, name, key)] })
}

/** A head that was read, with its note. */
export interface ReadCheckpoint extends Checkpoint {
  readonly note: Note
}

/** Reads a head, whoever signed it; `null` for anything else. */
export function parseCheckpoint(text: string): ReadCheckpoint | null {
  const note = parseNote(text)
  const [origin = '', sizeText = '', rootText = '', ...more] = note?.text.split('\n') ?? []
  const root = Buffer.from(rootText, 'base64')
  const isWhole = note !== null && origin !== '' && /^(0|[1-9]\d*)$/.test(sizeText) && more.length > 0
  if (!isWhole || root.length !== 32 || root.toString('base64') !== rootText) return null
  return { origin, size: Number(sizeText), root, note }
}

/** Reads a head that the log itself has signed; `null` for any other. */
export function openCheckpoint(text: string, log: VerifierKey, origin: string): ReadCheckpoint | null {
  const checkpoint = parseCheckpoint(text)
  if (checkpoint === null || checkpoint.origin !== origin) return null
  return verifyNote(checkpoint.note, log) === null ? null : checkpoint
}
