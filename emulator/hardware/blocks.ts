/** Content is kept in pieces of so many bytes. */
const pieceBytes = 65_536
/** All that is kept of one disk. A write beyond that fails, as on a disk whose host has no room. */
const maxPieces = 1024

/** What was written to a disk, wherever that was: the rest of it is zeros. */
export class Blocks {
  readonly #pieces = new Map<number, Buffer>()

  read(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    for (const { piece, from, at, count } of spans(offset, length)) {
      this.#pieces.get(piece)?.copy(bytes, at, from, from + count)
    }
    return bytes
  }

  /** False where there is no more room. */
  write(offset: number, data: Buffer): boolean {
    for (const { piece, from, at, count } of spans(offset, data.length)) {
      let kept = this.#pieces.get(piece)
      if (!kept) {
        if (this.#pieces.size >= maxPieces) return false
        kept = Buffer.alloc(pieceBytes)
        this.#pieces.set(piece, kept)
      }
      data.copy(kept, from, at, at + count)
    }
    return true
  }

  copy(): Blocks {
    const copy = new Blocks()
    for (const [piece, bytes] of this.#pieces) copy.#pieces.set(piece, Buffer.from(bytes))
    return copy
  }
}

function* spans(
  offset: number,
  length: number,
): Generator<Record<'piece' | 'from' | 'at' | 'count', number>> {
  for (let at = 0; at < length; ) {
    const place = offset + at
    const from = place % pieceBytes
    const count = Math.min(pieceBytes - from, length - at)
    yield { piece: Math.floor(place / pieceBytes), from, at, count }
    at += count
  }
}
