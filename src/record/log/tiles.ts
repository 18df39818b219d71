import type { Tree } from './tree.js'

/** Hashes a tile, and entries a bundle, when full (C2SP tlog-tiles). */
export const tileWidth = 256
const tileHeight = 8
const hashBytes = 32
const lengthBytes = 2
/** An entry says its length in two bytes. */
export const longestEntry = 65_535

/** One file of a log. */
export interface TileFile {
  /** Relative to the log's folder, with `/`. */
  readonly path: string
  readonly bytes: Buffer
}

/** The path of a tile: `tile/0/x001/067`, and `.p/5` for one that is not full yet. */
export function tilePath(kind: 'entries' | number, index: number, width = tileWidth): string {
  const groups: string[] = []
  let rest = index
  do {
    groups.unshift(String(rest % 1000).padStart(3, '0'))
    rest = Math.floor(rest / 1000)
  } while (rest > 0)
  const name = groups.map((group, place) => (place < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${kind}/${name}${width === tileWidth ? '' : `.p/${width}`}`
}

/** The tiles of a tree that differ from those of its first `from` leaves, the bundles of entries among them. */
export function changedTiles(
  tree: Tree,
  entries: (index: number) => Buffer,
  from: number,
): readonly TileFile[] {
  const files: TileFile[] = []
  for (let level = 0; ; level += 1) {
    const hashes = tree.level(level * tileHeight)
    const before = Math.floor(from / tileWidth ** level)
    if (hashes.length === 0) break
    for (let index = Math.floor(before / tileWidth); index * tileWidth < hashes.length; index += 1) {
      const part = hashes.slice(index * tileWidth, (index + 1) * tileWidth)
      files.push({ path: tilePath(level, index, part.length), bytes: Buffer.concat(part) })
    }
  }
  for (let index = Math.floor(from / tileWidth); index * tileWidth < tree.size; index += 1) {
    const end = Math.min(tree.size, (index + 1) * tileWidth)
    const bundle = Array.from({ length: end - index * tileWidth }, (_, place) =>
      framed(entries(index * tileWidth + place)),
    )
    files.push({ path: tilePath('entries', index, bundle.length), bytes: Buffer.concat(bundle) })
  }
  return files
}

/** The paths of the tiles of one kind that a log of this size has. */
export function tilesOf(
  kind: 'entries' | 0,
  size: number,
): readonly { readonly path: string; readonly width: number }[] {
  return Array.from({ length: Math.ceil(size / tileWidth) }, (_, index) => {
    const width = Math.min(tileWidth, size - index * tileWidth)
    return { path: tilePath(kind, index, width), width }
  })
}

/** The hashes in a tile; `null` when it does not hold that many. */
export function hashesIn(bytes: Buffer, width: number): readonly Buffer[] | null {
  if (bytes.length !== width * hashBytes) return null
  return Array.from({ length: width }, (_, index) =>
    bytes.subarray(index * hashBytes, (index + 1) * hashBytes),
  )
}

/** The entries in a bundle; `null` when it does not hold that many. */
export function entriesIn(bytes: Buffer, width: number): readonly Buffer[] | null {
  const entries: Buffer[] = []
  let at = 0
  while (at + lengthBytes <= bytes.length && entries.length < width) {
    const end = at + lengthBytes + bytes.readUInt16BE(at)
    if (end > bytes.length) return null
    entries.push(bytes.subarray(at + lengthBytes, end))
    at = end
  }
  return at === bytes.length && entries.length === width ? entries : null
}

function framed(entry: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt16BE(entry.length)
  return Buffer.concat([length, entry])
}
