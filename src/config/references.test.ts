import t from 'tap'
import { readAddress, readHostKeyRule, readKeyReference } from './references.js'

t.test('addresses', async t => {
  for (const [text, host, port] of [
    ['host', 'host', null],
    ['host:2222', 'host', 2222],
    ['192.0.2.7:22', '192.0.2.7', 22],
    ['[2001:db8::1]:22', '2001:db8::1', 22],
    ['2001:db8::1', '2001:db8::1', null],
    ['[::ffff:192.0.2.7]', '::ffff:192.0.2.7', null],
    ['[fe80::c0:ffee%br-lab0]:22', 'fe80::c0:ffee%br-lab0', 22],
    ['[fe80::1%5]', 'fe80::1%5', null],
    ['[fe80::1%enp1s0.100]:2222', 'fe80::1%enp1s0.100', 2222],
    ['fe80::1%VLAN_7', 'fe80::1%VLAN_7', null],
  ] as const) {
    t.same(readAddress(text), { host, port }, text)
  }
  for (const text of [
    '',
    'a b',
    'host:',
    'host:0',
    'host:65536',
    '[fe80::1%]:22',
    '[fe80::1%a b]',
    'me@host',
    '[host',
  ]) {
    t.equal(readAddress(text), null, text)
  }
})

t.test('one key of an agent', async t => {
  t.same(readKeyReference('agent', '/lab'), { kind: 'agent' })
  t.same(readKeyReference('agent:SHA256:abc', '/lab'), { kind: 'agent', which: 'SHA256:abc' })
  t.same(readKeyReference('agent:me@work', '/lab'), { kind: 'agent', which: 'me@work' })
  t.same(readKeyReference('agent:keys/lab.pub', '/lab'), { kind: 'agent', which: '/lab/keys/lab.pub' })
})

t.test('keys that are accepted stand beside the lab', async t => {
  t.same(readHostKeyRule('accept-new', '/lab'), { kind: 'accept-new', path: '/lab/guestcert.known_hosts' })
})
