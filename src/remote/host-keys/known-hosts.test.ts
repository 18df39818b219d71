import { createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { typeOfKey } from './fingerprint.js'
import { knownHostName, matchesPattern, parseKnownHosts } from './known-hosts.js'

function keyOf(type: string, body = 'body'): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(type.length)
  return Buffer.concat([length, Buffer.from(type), Buffer.from(body)])
}

const ed25519 = keyOf('ssh-ed25519').toString('base64')

function hashed(name: string): string {
  const salt = randomBytes(20)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

function matching(line: string, name: string): number {
  return parseKnownHosts(line).entries.filter(entry => entry.matches(name)).length
}

t.test('names are plain on port 22 and bracketed elsewhere', async t => {
  t.equal(knownHostName('Host.Example', 22), 'host.example')
  t.equal(knownHostName('host', 2222), '[host]:2222')
  t.equal(knownHostName('2001:DB8::1', 22), '2001:db8::1')
  t.equal(knownHostName('2001:db8::1', 2222), '[2001:db8::1]:2222')
  t.equal(knownHostName('host', 2222, 'Alias'), 'alias', 'an alias stands for the port too')
})

t.test('a plain line speaks of each of its names', async t => {
  const line = `one,two.example,10.0.0.7 ssh-ed25519 ${ed25519} a comment with words`
  for (const name of ['one', 'two.example', '10.0.0.7']) {
    t.equal(matching(line, name), 1, name)
  }
  t.equal(matching(line, 'three'), 0)
  t.equal(matching(line, '[one]:2222'), 0, 'another port of the same host is another machine')
})

t.test('ports, IPv6, wildcards and negation', async t => {
  t.equal(matching(`[one]:2222 ssh-ed25519 ${ed25519}`, '[one]:2222'), 1)
  t.equal(matching(`[one]:2222 ssh-ed25519 ${ed25519}`, 'one'), 0)
  t.equal(matching(`[fe80::1]:2222,fe80::1 ssh-ed25519 ${ed25519}`, '[fe80::1]:2222'), 1)
  t.equal(matching(`*.example,!bad.example ssh-ed25519 ${ed25519}`, 'good.example'), 1)
  t.equal(matching(`*.example,!bad.example ssh-ed25519 ${ed25519}`, 'bad.example'), 0)
  t.equal(matching(`!bad.example,*.example ssh-ed25519 ${ed25519}`, 'bad.example'), 0, 'in any order')
  t.equal(
    matching(`!bad.example ssh-ed25519 ${ed25519}`, 'good.example'),
    0,
    'negation alone matches nothing',
  )
  t.equal(matching(`host?.example ssh-ed25519 ${ed25519}`, 'host7.example'), 1)
  t.equal(matching(`host?.example ssh-ed25519 ${ed25519}`, 'host77.example'), 0)
  t.equal(matching(`HOST.Example ssh-ed25519 ${ed25519}`, 'host.example'), 1, 'case is of no account')
})

t.test('hashed names', async t => {
  t.equal(matching(`${hashed('one')} ssh-ed25519 ${ed25519}`, 'one'), 1)
  t.equal(matching(`${hashed('one')} ssh-ed25519 ${ed25519}`, 'two'), 0)
  t.equal(matching(`${hashed('[one]:2222')} ssh-ed25519 ${ed25519}`, '[one]:2222'), 1)
})

t.test('markers are kept apart', async t => {
  const text = `@revoked * ssh-ed25519 ${ed25519}\n@cert-authority *.example ssh-ed25519 ${ed25519}\n`
  t.match(
    parseKnownHosts(text).entries.map(({ marker }) => marker),
    ['revoked', 'cert-authority'],
  )
})

t.test('what makes no sense is passed over and its line is told', async t => {
  const text = [
    '# a comment',
    '',
    'host-without-key',
    `host ssh-ed25519 not*base64`,
    `host ssh-rsa ${ed25519}`,
    `@unknown host ssh-ed25519 ${ed25519}`,
    `|2|c2FsdA==|aGFzaA== ssh-ed25519 ${ed25519}`,
    '|1|| ssh-ed25519 AAAA',
    'host 1024 35 1234567890123',
    `right ssh-ed25519 ${ed25519}\r`,
  ].join('\n')
  const { entries, unreadable } = parseKnownHosts(text)
  t.same(unreadable, [3, 4, 5, 6, 7, 8, 9])
  t.equal(entries.length, 1)
  t.equal(entries[0]?.line, 10)
  t.ok(entries[0]?.matches('right'), 'a line end of Windows is not part of the key')
})

t.test('any text is read without throwing, and any made line is found', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), text => {
      const { entries, unreadable } = parseKnownHosts(text)
      return entries.length + unreadable.length <= text.split('\n').length
    }),
  )
  const name = fc.stringMatching(/^[a-z0-9.-]{1,20}$/)
  fc.assert(
    fc.property(
      name,
      name,
      fc.integer({ min: 1, max: 65_535 }),
      fc.boolean(),
      (host, other, port, isHashed) => {
        const known = knownHostName(host, port)
        const line = `${isHashed ? hashed(known) : known} ssh-ed25519 ${ed25519}`
        return (
          matching(line, known) === 1 && (other === host || matching(line, knownHostName(other, port)) === 0)
        )
      },
    ),
  )
  t.pass('properties held')
})

t.test('patterns agree with their meaning as regular expressions, and never take long', async t => {
  const letters = fc.stringMatching(/^[ab*?]{0,8}$/)
  fc.assert(
    fc.property(letters, fc.stringMatching(/^[ab]{0,8}$/), (pattern, text) => {
      const expression = pattern.replaceAll('*', '.*').replaceAll('?', '.')
      return matchesPattern(pattern, text) === new RegExp(`^${expression}$`).test(text)
    }),
  )
  const before = process.cpuUsage()
  t.notOk(matchesPattern(`${'*a'.repeat(30)}b`, 'a'.repeat(2000)))
  t.ok(process.cpuUsage(before).user < 2_000_000, 'a hostile pattern is harmless')
})

t.test('the type is read from the key itself', async t => {
  t.equal(typeOfKey(keyOf('ssh-rsa')), 'ssh-rsa')
  t.equal(typeOfKey(Buffer.from([0, 0, 0, 99, 65])), null)
  t.equal(typeOfKey(Buffer.alloc(2)), null)
})
