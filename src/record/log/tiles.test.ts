import t from 'tap'
import { changedTiles, entriesIn, hashesIn, tilePath, tilesOf } from './tiles.js'
import { leafHash, Tree } from './tree.js'

t.test('tiles have the paths of C2SP tlog-tiles', async t => {
  t.equal(tilePath(0, 0), 'tile/0/000')
  t.equal(tilePath(0, 1_234_067), 'tile/0/x001/x234/067')
  t.equal(tilePath(1, 5, 7), 'tile/1/005.p/7')
  t.equal(tilePath('entries', 1000), 'tile/entries/x001/000')
})

t.test('what was written is what is read, however it was appended', async t => {
  const entries = Array.from({ length: 600 }, (_, index) => Buffer.from(`entry ${index}`))
  const tree = new Tree()
  const files = new Map<string, Buffer>()
  const entry = (index: number): Buffer => entries[index] ?? Buffer.alloc(0)
  for (const size of [1, 2, 255, 256, 257, 511, 600]) {
    const from = tree.size
    while (tree.size < size) tree.push(leafHash(entry(tree.size)))
    for (const { path, bytes } of changedTiles(tree, entry, from)) files.set(path, bytes)
  }
  const read = tilesOf('entries', 600).flatMap(
    ({ path, width }) => entriesIn(files.get(path) ?? Buffer.alloc(0), width) ?? [],
  )
  t.same(read.map(String), entries.map(String))
  const hashes = tilesOf(0, 600).flatMap(
    ({ path, width }) => hashesIn(files.get(path) ?? Buffer.alloc(0), width) ?? [],
  )
  t.same(hashes, tree.level(0))
  t.same(hashesIn(files.get('tile/1/000.p/2') ?? Buffer.alloc(0), 2), tree.level(8))
  t.equal(entriesIn(Buffer.from([0, 5, 1]), 1), null)
  t.equal(hashesIn(Buffer.alloc(31), 1), null)
})
