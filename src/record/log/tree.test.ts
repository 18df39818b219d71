import fc from 'fast-check'
import t from 'tap'
import { isConsistent, leafHash, rootFromInclusion, Tree } from './tree.js'

const leaf = (index: number): Buffer => leafHash(Buffer.from(`entry ${index}`))
const treeOf = (size: number): Tree => new Tree(Array.from({ length: size }, (_, index) => leaf(index)))

t.test('heads are those of the test vectors of Certificate Transparency', async t => {
  const inputs = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ]
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  const tree = new Tree(inputs.map(input => leafHash(Buffer.from(input, 'hex'))))
  t.same(
    roots.map((_, index) => tree.root(index + 1).toString('hex')),
    roots,
  )
  t.equal(
    new Tree().root().toString('hex'),
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  )
})

t.test('every leaf is proven, and no other leaf, place or size by the same proof', async t => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (size, seed) => {
      const tree = treeOf(size)
      const index = seed % size
      const proof = tree.inclusion(index)
      const at = { leaf: leaf(index), index, size, proof }
      const leadsTo = (changes: Partial<typeof at>): boolean =>
        rootFromInclusion({ ...at, ...changes })?.equals(tree.root()) === true
      return (
        leadsTo({}) &&
        !leadsTo({ leaf: leaf(index + 1) }) &&
        !leadsTo({ index: size }) &&
        !leadsTo({ proof: [...proof, leaf(0)] }) &&
        (proof.length === 0 || !leadsTo({ proof: proof.slice(1) })) &&
        (size === 1 || !leadsTo({ index: (index + 1) % size }))
      )
    }),
    { numRuns: 200 },
  )
  t.pass('no counterexample')
})

t.test('a beginning is proven, and a fork is not', async t => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), (size, seed) => {
      const tree = treeOf(size)
      const first = 1 + (seed % size)
      const heads = {
        first: { size: first, root: tree.root(first) },
        second: { size, root: tree.root() },
        proof: tree.consistency(first),
      }
      const fork = new Tree([...tree.level(0).slice(0, first - 1), leaf(1000)])
      return (
        isConsistent(heads) &&
        !isConsistent({ ...heads, first: { size: first, root: fork.root() } }) &&
        !isConsistent({ ...heads, proof: [...heads.proof, leaf(0)] }) &&
        (first === size || !isConsistent({ ...heads, proof: heads.proof.slice(1) }))
      )
    }),
    { numRuns: 200 },
  )
  t.pass('no counterexample')
})
