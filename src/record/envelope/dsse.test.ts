import { generateKeyPairSync, verify } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crypto, dsse } from '@sigstore/core'
import t from 'tap'
import { sampleStatement } from '../sample.test.fixture.js'
import { parseEnvelope, preAuthEncoding, seal, signersOf, statementIn } from './dsse.js'
import { keyIdOf, readPrivateKey } from './keys.js'

const pairs = {
  Ed25519: generateKeyPairSync('ed25519'),
  'ECDSA P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}
const statement = sampleStatement()

for (const [name, { privateKey, publicKey }] of Object.entries(pairs)) {
  const envelope = seal(statement, privateKey)
  const keys = new Map([[keyIdOf(publicKey), publicKey]])

  t.test(`${name}: sigstore reads the signature`, async t => {
    const payload = Buffer.from(envelope.payload, 'base64')
    const signed = dsse.preAuthEncoding(envelope.payloadType, payload)
    t.same(preAuthEncoding(envelope.payloadType, payload), signed)
    const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64')
    const holds =
      name === 'Ed25519'
        ? verify(null, signed, publicKey, signature)
        : crypto.verify(signed, publicKey, signature, 'sha256')
    t.equal(holds, true)
  })

  t.test(`${name}: only the signed bytes and a known key hold`, async t => {
    t.same(signersOf(envelope, keys), [keyIdOf(privateKey)])
    t.same(signersOf(envelope, new Map()), [])
    const payload = Buffer.from(envelope.payload, 'base64')
    payload[100] = (payload[100] ?? 0) ^ 1
    t.same(signersOf({ ...envelope, payload: payload.toString('base64') }, keys), [])
    t.same(signersOf({ ...envelope, payloadType: 'text/plain' }, keys), [])
    const other = generateKeyPairSync('ed25519').publicKey
    t.same(signersOf(envelope, new Map([[keyIdOf(publicKey), other]])), [])
  })
}

t.test('an envelope is read back as it was', async t => {
  const envelope = seal(statement, pairs.Ed25519.privateKey)
  const read = parseEnvelope(Buffer.from(JSON.stringify(envelope)))
  t.same(read, envelope)
  t.same(statementIn(envelope), statement)
  t.equal(parseEnvelope(Buffer.from('{}')), null)
  t.equal(parseEnvelope(Buffer.from('no JSON')), null)
  t.equal(statementIn({ ...envelope, payload: Buffer.from('{}').toString('base64') }), null)
})

t.test('keys are read with their passphrase, and a wrong one tells nothing of the file', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'gc-keys-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const encrypted = pairs.Ed25519.privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'right',
  })
  const path = join(folder, 'key.pem')
  await writeFile(path, encrypted)
  t.equal(keyIdOf(await readPrivateKey(path, 'right')), keyIdOf(pairs.Ed25519.publicKey))
  await t.rejects(readPrivateKey(path, 'wrong'), {
    message: `cannot use the key ${path}: the passphrase is wrong`,
  })
  await t.rejects(readPrivateKey(path), /it is encrypted: give --passphrase/)
  await writeFile(
    path,
    generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  )
  await t.rejects(readPrivateKey(path), /expected an Ed25519 key/)
  await t.rejects(readPrivateKey(join(folder, 'none')), /cannot read the key/)
})
