import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { InfraError } from '../../config/errors.js'
import { fingerprintOf } from './fingerprint.js'
import { type HostKeyPolicy, hostKeyPolicy } from './policy.js'

function keyOf(type: string, body: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(type.length)
  return Buffer.concat([length, Buffer.from(type), Buffer.from(body)])
}

const right = keyOf('ssh-ed25519', 'right')
const wrong = keyOf('ssh-ed25519', 'wrong')
const rsa = keyOf('ssh-rsa', 'rsa')
const subject = { host: 'host', port: 22, where: 'guest-1' }

function line(names: string, key: Buffer, marker = ''): string {
  const type = key.subarray(4, 4 + key.readUInt32BE(0)).toString()
  return `${marker}${names} ${type} ${key.toString('base64')}\n`
}

function whyRefused(policy: HostKeyPolicy, key: Buffer): string {
  const judgement = policy.judge(key)
  return judgement.accepted ? 'accepted' : judgement.why
}

t.test('a pinned fingerprint lets that key in and no other', async t => {
  const pin = fingerprintOf(right)
  for (const fingerprint of [pin, `${pin}=`]) {
    const policy = await hostKeyPolicy({ kind: 'pinned', fingerprint }, subject)
    t.ok(policy.judge(right).accepted)
    t.ok(policy.asksEveryType, 'it does not say of what type the key is')
    const why = whyRefused(policy, wrong)
    t.match(why, /guest-1 proved another host key than the pinned one/)
    t.match(why, fingerprintOf(wrong), 'the fingerprint seen is told')
    t.match(why, /change hostKey/, 'and what can be done')
  }
})

t.test('fingerprints are compared whole and with their case', async t => {
  const pin = fingerprintOf(right)
  for (const fingerprint of [pin.slice(0, -1), pin.toLowerCase(), 'SHA256:', '']) {
    const policy = await hostKeyPolicy({ kind: 'pinned', fingerprint }, subject)
    t.notOk(policy.judge(right).accepted, fingerprint)
  }
})

t.test('the image’s key is like a pinned one, and must be known', async t => {
  const policy = await hostKeyPolicy({ kind: 'image' }, { ...subject, imageHostKey: fingerprintOf(right) })
  t.ok(policy.judge(right).accepted)
  t.notOk(policy.judge(wrong).accepted)
  await t.rejects(hostKeyPolicy({ kind: 'image' }, subject), {
    name: 'InfraError',
    context: { code: 'host-key' },
  })
})

t.test('accept-new takes what comes and says that it is new', async t => {
  const policy = await hostKeyPolicy({ kind: 'accept-new' }, subject)
  t.same(policy.judge(right), { accepted: true, isNew: true })
})

t.test('known_hosts', async t => {
  const path = join(t.testdir(), 'known_hosts')
  const policyOf = (text: string, change = {}): Promise<HostKeyPolicy> => {
    writeFileSync(path, text)
    return hostKeyPolicy({ kind: 'known-hosts', path }, { ...subject, ...change })
  }

  t.test('a known key is let in, with its type offered first', async t => {
    const policy = await policyOf(line('host', rsa) + line('host', right) + line('other', wrong))
    t.same(policy.judge(right), { accepted: true, isNew: false })
    t.ok(policy.judge(rsa).accepted, 'each of several keys')
    t.same(policy.knownTypes, ['ssh-rsa', 'ssh-ed25519'])
    t.notOk(policy.asksEveryType)
  })

  t.test('a changed key is refused with the line that knows another', async t => {
    const why = whyRefused(await policyOf(line('other', right) + line('host', right)), wrong)
    t.match(why, `${path}:2`)
    t.match(why, fingerprintOf(wrong))
    t.match(why, fingerprintOf(right))
  })

  t.test('a key of a type that is not known is refused', async t => {
    t.match(whyRefused(await policyOf(line('host', rsa)), right), /of another type/)
  })

  t.test('an unknown host is refused with what to do', async t => {
    const why = whyRefused(await policyOf(`${line('other', right)}nonsense\n`), right)
    t.match(why, /the host key of guest-1 is not known/)
    t.match(why, `write hostKey: ${fingerprintOf(right)}`)
    t.match(why, `passed over as unreadable: ${path}:2`)
  })

  t.test('a file that is not there knows nobody', async t => {
    const policy = await hostKeyPolicy({ kind: 'known-hosts', path: `${path}-missing` }, subject)
    t.match(whyRefused(policy, right), `${path}-missing has no line for host`)
  })

  t.test('a revoked key is refused even if another line lets it in', async t => {
    const policy = await policyOf(line('host', right) + line('*', right, '@revoked '))
    t.match(whyRefused(policy, right), `${path}:2 revokes`)
  })

  t.test('a certificate authority vouches for nothing here, and that is said', async t => {
    const why = whyRefused(await policyOf(line('host', right, '@cert-authority ')), right)
    t.match(why, /@cert-authority line is of no use/)
  })

  t.test('ports and aliases', async t => {
    const text = line('[host]:2222', right) + line('alias', rsa)
    t.ok((await policyOf(text, { port: 2222 })).judge(right).accepted)
    t.notOk((await policyOf(text)).judge(right).accepted)
    t.ok((await policyOf(text, { port: 2222, alias: 'alias' })).judge(rsa).accepted)
    t.notOk((await policyOf(line('host', right), { port: 2222 })).judge(right).accepted)
  })

  t.test('several files are one', async t => {
    const other = join(t.testdir(), 'other')
    writeFileSync(other, line('host', right))
    const policy = await policyOf(line('host', rsa), { knownHostsFiles: [path, other] })
    t.ok(policy.judge(right).accepted)
    t.ok(policy.judge(rsa).accepted)
  })
})

t.test('errors are of the known kind', async t => {
  const error = await hostKeyPolicy({ kind: 'image' }, subject).catch((thrown: unknown) => thrown)
  t.ok(error instanceof InfraError)
})
