import t from 'tap'
import { fileNameOf } from './file-name.js'

t.test('an identity gives a name that one recognises', async t => {
  t.equal(fileNameOf('ws2008@rhel-kvm-9.6/bios-virtio-blk'), 'ws2008@rhel-kvm-9.6+bios-virtio-blk')
  t.equal(fileNameOf('net.ipv6/ping'), 'net.ipv6+ping')
  t.equal(fileNameOf('g@kvm-9.6/1vcpu-512MiB'), 'g@kvm-9.6+1vcpu-512MiB')
})

t.test('names are safe on any file system, and never shared', async t => {
  const ids = [
    ...['a/b', 'a+b', 'a/b/c', 'a b/c', 'a_b/c', 'a\\b/c', 'net/ipv6.ping', 'net.ipv6/ping', 'net_ipv6/ping'],
    ...['../up', '..', '.', '', '.hidden', 'a.', 'a', 'A', 'a/B', 'con', 'aux.1', 'com1/x', 'com1', 'é', 'è'],
    ...[
      'x'.repeat(400),
      'x'.repeat(401),
      'x'.repeat(110),
      `${'x'.repeat(110)}y`,
      '-rf',
      '@a',
      'g/512MiB',
      'g/512mib',
      'g/512MIB',
    ],
  ]
  const names = ids.map(fileNameOf)
  t.equal(new Set(names.map(name => name.toLowerCase())).size, ids.length)
  for (const name of names) {
    t.match(name, /^\w[\w.@+-]*[\w@+-]$|^\w$/)
    t.notMatch(name, /^(con|aux|com1)(\.|$)/)
    t.ok(name.length <= 110)
  }
})
