import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { signCheckpoint } from './checkpoint.js'
import { parseVerifierKey, verifierKeyText } from './note-keys.js'
import { inclusionProof, verifyProof } from './proof.js'
import { leafHash, Tree } from './tree.js'

t.test('a proof holds for its leaf, log and head alone', async t => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const [origin, leaf] = ['example/log', leafHash(Buffer.from('entry 5'))]
  const tree = new Tree(Array.from({ length: 11 }, (_, index) => leafHash(Buffer.from(`entry ${index}`))))
  const head = signCheckpoint({ origin, size: tree.size, root: tree.root() }, origin, privateKey)
  const proof = inclusionProof(tree, 5, head)
  const log = parseVerifierKey(verifierKeyText(origin, publicKey))
  const other = parseVerifierKey(verifierKeyText(origin, generateKeyPairSync('ed25519').publicKey))
  if (log === null || other === null) throw new Error('no key')
  t.equal(verifyProof(proof, leaf, log, origin), true)
  t.equal(verifyProof(proof, leafHash(Buffer.from('entry 6')), log, origin), false)
  t.equal(verifyProof(proof, leaf, other, origin), false)
  t.equal(verifyProof(proof, leaf, log, 'another/log'), false)
  t.equal(verifyProof(proof.replace('index 5', 'index 4'), leaf, log, origin), false)
  t.equal(verifyProof(proof.replace('\n11\n', '\n12\n'), leaf, log, origin), false)
  t.equal(verifyProof('', leaf, log, origin), false)
})
