import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { verifierKeyText } from '../log/note-keys.js'
import { isValidAt, loadTrust, trustOf, trustSchema } from './trust.js'

const { publicKey } = generateKeyPairSync('ed25519')
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const key = { party: 'a', roles: ['lab'], key: pem, from: '2026-01-01T00:00Z', until: '2027-01-01T00:00Z' }
const day = (text: string): number => Date.parse(`${text}T00:00:00Z`)

function trusted(changes: Record<string, unknown>) {
  const file = trustSchema.parse({
    trust: 'sample',
    version: 1,
    log: { origin: 'example/log', key: verifierKeyText('example/log', publicKey) },
    keys: { one: { ...key, ...changes } },
  })
  const [found] = trustOf(file, 'trust.yaml').keys.values()
  if (found === undefined) throw new Error('no key')
  return found
}

t.test('a key counts while it is valid and not revoked', async t => {
  const valid = trusted({})
  t.same(
    ['2025-12-31', '2026-01-01', '2026-12-31', '2027-01-01'].map(text => isValidAt(valid, day(text))),
    [false, true, true, false],
  )
  const revoked = trusted({ revoked: { at: '2026-06-01T00:00Z', why: 'left' } })
  t.same(
    ['2026-05-31', '2026-06-01'].map(text => isValidAt(revoked, day(text))),
    [true, false],
  )
  const stolen = trusted({ revoked: { at: '2026-06-01T00:00Z', why: 'stolen', compromised: true } })
  t.equal(isValidAt(stolen, day('2026-05-31')), false)
})

t.test('what is not a key is refused by its name', async t => {
  t.throws(() => trusted({ key: 'no key' }), /the key "one": expected a public key in PEM/)
  const log = trustSchema.safeParse({ trust: 's', version: 1, log: { origin: 'o', key: 'x' }, keys: {} })
  t.match(log.error?.issues[0]?.message, /expected a verifier key/)
})

t.test('a key that is revoked under one name is not valid under another', async t => {
  const revoked = { at: '2026-06-01T00:00Z', why: 'left' }
  const file = (keys: Record<string, unknown>) =>
    trustSchema.parse({
      trust: 'sample',
      version: 1,
      log: { origin: 'example/log', key: verifierKeyText('example/log', publicKey) },
      keys,
    })
  t.doesNotThrow(() => trustOf(file({ one: { ...key, revoked } }), 'trust.yaml'))
  t.throws(
    () => trustOf(file({ one: { ...key, revoked }, two: { ...key, party: 'b' } }), 'trust.yaml'),
    /the key "two" stands there twice/,
  )
})

t.test('a file that is not a trust file is refused with its place', async t => {
  const folder = t.testdir({ 'trust.yaml': 'trust: sample\nversion: one\nkeys: {}\n' })
  await t.rejects(loadTrust(`${folder}/trust.yaml`), /trust\.yaml:2:10: /)
})
