import type { Bytes } from '../files/bytes.js'
import { quotePattern } from './pattern.js'

/** A piece of an expanded word: what may still happen to it depends on how it was written. */
export interface Piece {
  readonly text: Bytes
  /** Special characters in it make a pattern. */
  readonly glob: boolean
  /** It came from an expansion that was not quoted: it is split at IFS. */
  readonly split: boolean
  /** It was quoted: it makes a field even when it is empty. */
  readonly quoted: boolean
}

/** The place between two of the fields of `"$@"`. */
export const fieldBreak = 'break'

export type Pieces = readonly (Piece | typeof fieldBreak)[]

/** A field: its text, and the same as a pattern where it may be one. */
export interface Field {
  readonly text: Bytes
  readonly pattern: Bytes | undefined
}

/** Text that nothing happens to any more. */
export function fixed(text: Bytes, quoted = true): Piece {
  return { text, glob: false, split: false, quoted }
}

/** The pieces as one string, unsplit: for assignments, `case` and here-documents. */
export function joined(pieces: Pieces): Bytes {
  return pieces.map(piece => (piece === fieldBreak ? ' ' : piece.text)).join('')
}

/** The pieces as one pattern. */
export function asPattern(pieces: Pieces): Bytes {
  return pieces
    .map(piece => (piece === fieldBreak ? ' ' : piece.glob ? piece.text : quotePattern(piece.text)))
    .join('')
}

/** Splits expanded pieces into fields (POSIX 2.6.5). */
export function splitFields(pieces: Pieces, ifs: Bytes | undefined): Field[] {
  const separators = ifs ?? ' \t\n'
  const fields: Field[] = []
  let text = ''
  let parts: { readonly text: Bytes; readonly glob: boolean }[] = []
  let mayMatch = false
  let started = false
  const finish = (): void => {
    const pattern = mayMatch
      ? parts.map(part => (part.glob ? part.text : quotePattern(part.text))).join('')
      : undefined
    if (started) fields.push({ text, pattern })
    text = ''
    parts = []
    mayMatch = false
    started = false
  }
  const add = (piece: Piece, part: Bytes): void => {
    text += part
    parts.push({ text: part, glob: piece.glob })
    if (piece.glob && /[*?[]/.test(part)) mayMatch = true
    if (part !== '' || piece.quoted) started = true
  }
  for (const piece of pieces) {
    if (piece === fieldBreak) finish()
    else if (!piece.split || separators === '') add(piece, piece.text)
    else
      splitPiece(piece, separators, add, finish, () => {
        started = true
      })
  }
  finish()
  return fields
}

function splitPiece(
  piece: Piece,
  separators: Bytes,
  add: (piece: Piece, part: Bytes) => void,
  finish: () => void,
  start: () => void,
): void {
  const { text } = piece
  let at = 0
  while (at < text.length) {
    const char = text.charAt(at)
    if (!separators.includes(char)) {
      let end = at
      while (end < text.length && !separators.includes(text.charAt(end))) end++
      add(piece, text.slice(at, end))
      at = end
      continue
    }
    // White space around one other separator counts as one delimiter with it.
    let visible = false
    while (at < text.length && separators.includes(text.charAt(at))) {
      if (!/[ \t\n]/.test(text.charAt(at))) {
        if (visible) break
        visible = true
      }
      at++
    }
    if (visible) start()
    finish()
  }
}
