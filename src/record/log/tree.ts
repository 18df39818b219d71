import { createHash } from 'node:crypto'

const [leafPrefix, nodePrefix] = [Buffer.from([0]), Buffer.from([1])]

/** The hash of an entry (RFC 6962, 2.1). */
export function leafHash(entry: Uint8Array): Buffer {
  return createHash('sha256').update(leafPrefix).update(entry).digest()
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(nodePrefix).update(left).update(right).digest()
}

/** The Merkle tree of a log (RFC 6962, 2.1): every complete subtree is kept. */
export class Tree {
  readonly #levels: Buffer[][] = [[]]

  /** A tree of these leaf hashes. */
  constructor(leaves: Iterable<Buffer> = []) {
    for (const leaf of leaves) this.push(leaf)
  }

  get size(): number {
    return this.level(0).length
  }

  /** The hashes of complete subtrees of 2^level leaves, from the left. */
  level(level: number): readonly Buffer[] {
    return this.#levels[level] ?? []
  }

  push(leaf: Buffer): void {
    let hash = leaf
    for (let level = 0; ; level += 1) {
      const row = this.#levels[level] ?? []
      this.#levels[level] = row
      row.push(hash)
      const left = row.at(-2)
      if (row.length % 2 !== 0 || left === undefined) return
      hash = nodeHash(left, hash)
    }
  }

  /** The head of the first so many leaves. */
  root(size = this.size): Buffer {
    return size === 0 ? createHash('sha256').digest() : this.#hash(0, size)
  }

  /** The audit path of a leaf in the tree of the first so many (RFC 6962, 2.1.1). */
  inclusion(index: number, size = this.size): Buffer[] {
    const path = (start: number, end: number): Buffer[] => {
      if (end - start === 1) return []
      const middle = start + splitOf(end - start)
      return index < middle
        ? [...path(start, middle), this.#hash(middle, end)]
        : [...path(middle, end), this.#hash(start, middle)]
    }
    return path(0, size)
  }

  /** What proves that the tree of `first` leaves is a beginning of that of `second` (RFC 6962, 2.1.2). */
  consistency(first: number, second = this.size): Buffer[] {
    const proof = (start: number, end: number, isWhole: boolean): Buffer[] => {
      if (first === end) return isWhole ? [] : [this.#hash(start, end)]
      const middle = start + splitOf(end - start)
      return first <= middle
        ? [...proof(start, middle, isWhole), this.#hash(middle, end)]
        : [...proof(middle, end, false), this.#hash(start, middle)]
    }
    return first === 0 || first === second ? [] : proof(0, second, true)
  }

  #hash(start: number, end: number): Buffer {
    const count = end - start
    const level = Math.log2(count)
    if (Number.isInteger(level)) {
      const found = this.#levels[level]?.[start / count]
      if (found !== undefined) return found
    }
    const middle = start + splitOf(count)
    return nodeHash(this.#hash(start, middle), this.#hash(middle, end))
  }
}

/** The largest power of two below a count. */
function splitOf(count: number): number {
  return 2 ** (Math.ceil(Math.log2(count)) - 1)
}

/** Where a leaf stands, and what proves it. */
export interface Inclusion {
  readonly leaf: Buffer
  readonly index: number
  readonly size: number
  readonly proof: readonly Buffer[]
}

/** The head that an audit path leads to (RFC 9162, 2.1.3.2); `null` when it has another length than it must have. */
export function rootFromInclusion({ leaf, index, size, proof }: Inclusion): Buffer | null {
  if (index < 0 || index >= size) return null
  let [at, last] = [index, size - 1]
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return null
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash)
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  }
  return last === 0 ? hash : null
}

/** Two heads of a log, and what proves that the first is a beginning of the second. */
export interface Consistency {
  readonly first: { readonly size: number; readonly root: Buffer }
  readonly second: { readonly size: number; readonly root: Buffer }
  readonly proof: readonly Buffer[]
}

/** Whether one head is a beginning of another (RFC 9162, 2.1.4.2). */
export function isConsistent({ first, second, proof }: Consistency): boolean {
  if (first.size > second.size) return false
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root)
  if (first.size === 0) return proof.length === 0
  const rest = [...(Number.isInteger(Math.log2(first.size)) ? [first.root] : []), ...proof]
  const start = rest.shift()
  if (start === undefined) return false
  let [at, last] = [first.size - 1, second.size - 1]
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  let [older, newer] = [start, start]
  for (const sibling of rest) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      older = nodeHash(sibling, older)
      newer = nodeHash(sibling, newer)
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
    } else {
      newer = nodeHash(newer, sibling)
    }
    ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  }
  return last === 0 && older.equals(first.root) && newer.equals(second.root)
}
