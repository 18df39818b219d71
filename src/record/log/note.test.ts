import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { cosignNote, formatNote, parseNote, signNote, verifyNote } from './note.js'
import { noteTypes, parseVerifierKey, verifierKeyText } from './note-keys.js'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const text = 'example.org/record\n1\nCQ==\n'

t.test('a verifier key is read back, and one with another hash is none', async t => {
  const key = verifierKeyText('example.org/record', publicKey)
  t.match(key, /^example\.org\/record\+[0-9a-f]{8}\+AR?/)
  t.equal(parseVerifierKey(key)?.name, 'example.org/record')
  t.equal(parseVerifierKey(key.replace(/\+[0-9a-f]{8}\+/, '+00000000+')), null)
  t.equal(parseVerifierKey('no key'), null)
  // The example of Go's package sumdb/note.
  const peter = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
  t.equal(parseVerifierKey(peter)?.name, 'PeterNeumann')
})

t.test('the example note of sumdb/note holds', async t => {
  const note = parseNote(
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
  )
  const key = parseVerifierKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
  t.ok(note !== null && key !== null && verifyNote(note, key) !== null)
  t.equal(
    note !== null &&
      key !== null &&
      verifyNote({ ...note, text: note.text.replace('answer', 'problem') }, key),
    null,
  )
})

t.test('a note holds for its own text and key, and a cosignature tells its time', async t => {
  const [log, witness] = [
    verifierKeyText('log', publicKey),
    verifierKeyText('w', publicKey, noteTypes.witness),
  ].map(parseVerifierKey)
  const signatures = [signNote(text, 'log', privateKey), cosignNote(text, 'w', privateKey, 1_700_000_000)]
  const note = parseNote(formatNote({ text, signatures }))
  if (note === null || log == null || witness == null) throw new Error('not read back')
  t.same(verifyNote(note, log), { atSec: null })
  t.same(verifyNote(note, witness), { atSec: 1_700_000_000 })
  const other = { ...note, text: text.replace('1', '2') }
  t.equal(verifyNote(other, log), null)
  t.equal(verifyNote(other, witness), null)
  t.equal(verifyNote({ ...note, signatures: [] }, log), null)
  t.equal(parseNote('no note\n'), null)
})
