import t from 'tap'
import { algorithmsFor, hostKeyAlgorithms, kindOfKey } from './algorithms.js'

const none = { first: [], without: new Set<never>() }

t.test('modern has nothing with SHA-1, DSA or CBC', async t => {
  t.notMatch(JSON.stringify(hostKeyAlgorithms('modern', none)), /ssh-rsa|ssh-dss/)
  const { hmac, kex, cipher, compress } = algorithmsFor('modern', none)
  t.match(hmac, { remove: ['hmac-sha1', 'hmac-sha1-etm@openssh.com'] })
  t.equal(kex, undefined, 'ssh2’s own set has no SHA-1 exchange')
  t.equal(cipher, undefined, 'nor a CBC cipher')
  t.same(compress, ['none'])
})

t.test('legacy adds the old ones behind the modern ones', async t => {
  const keys = hostKeyAlgorithms('legacy', none)
  t.ok(keys.indexOf('ssh-rsa') > keys.indexOf('rsa-sha2-256'))
  t.equal(keys.at(-1), 'ssh-dss')
  t.match(algorithmsFor('legacy', none), {
    kex: { append: ['diffie-hellman-group14-sha1', /group-exchange-sha1/, /group1-sha1/] },
    cipher: { append: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'] },
  })
})

t.test('what is known is offered first, an RSA key under all its names', async t => {
  const order = { first: ['ssh-rsa'], without: new Set<never>() }
  t.same(hostKeyAlgorithms('modern', order).slice(0, 3), ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519'])
  t.equal(hostKeyAlgorithms('legacy', order)[2], 'ssh-rsa')
  const curve = { first: ['ecdsa-sha2-nistp384'], without: new Set<never>() }
  t.equal(hostKeyAlgorithms('modern', curve)[0], 'ecdsa-sha2-nistp384')
})

t.test('kinds that were seen to be wrong are left out, until none is left', async t => {
  t.notMatch(hostKeyAlgorithms('modern', { first: [], without: new Set(['ed25519'] as const) }), [
    'ssh-ed25519',
  ])
  const all = new Set(['ed25519', 'ecdsa', 'rsa'] as const)
  t.same(hostKeyAlgorithms('modern', { first: [], without: all }), [])
})

t.test('every key type has its kind', async t => {
  t.equal(kindOfKey('ssh-rsa'), 'rsa')
  t.equal(kindOfKey('ecdsa-sha2-nistp521'), 'ecdsa')
  t.equal(kindOfKey('ssh-dss'), 'dss')
  t.equal(kindOfKey('sk-ssh-ed25519@openssh.com'), null)
})
