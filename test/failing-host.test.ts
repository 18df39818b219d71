import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'

/** Three guests on a host that is gone, and, if said so, on a sound one of the same pairing. */
function lab(withOther: boolean): string {
  const configuration = 'configuration: { vcpus: 1, memory: 1GiB }'
  const onGone = (id: string): string =>
    `gone: { vm: ${id}, clean: { snapshot: sealed }, via: host, ${configuration} }`
  const onSound = withOther ? `, sound: { ${configuration} }` : ''
  return `lab: failing
defaults: { limits: { tcp: 2s, health: 5s, boot: 20s }, retries: 0, hostFailures: 2 }
hosts:
  gone:
    product: rhel-kvm
    version: "9.6"
    driver: libvirt
    emulated: rhel-9-kvm
    faults: { gone: { command: "." } }
    capacity: { guests: 1 }
  sound: { product: rhel-kvm, version: "9.6", driver: static, capacity: { guests: 2, vcpus: 2, memory: 2GiB } }
guests:
${['a', 'b', 'c', 'd']
  .map(
    id =>
      `  ${id}: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { ${onGone(id)}${onSound} } }`,
  )
  .join('\n')}
suites: [${join(packageRoot, 'fixtures/test-suites/steady')}]
`
}

async function pass(
  folder: string,
  ...flags: string[]
): Promise<{ code: number; stdout: string; stderr: string; events: JournalEvent[] }> {
  const ended = await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports'), ...flags])
  const journal = await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8').catch(() => '')
  const events = journal.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as JournalEvent]))
  return { ...ended, events }
}

t.test('a host that fails is set aside, and its environments go to another of the same pairing', async t => {
  const { code, stdout, events } = await pass(t.testdir({ 'lab.yaml': lab(true) }), '--retries', '1')
  t.equal(code, 0, stdout)
  const aside = events.filter(({ type }) => type === 'host-set-aside')
  t.match(aside, [{ host: 'gone', failures: 2, reason: /2 health checks in a row failed/ }])
  const moved = events.flatMap(event => (event.type === 'environment-moved' ? [event] : []))
  t.ok(moved.length >= 2)
  t.ok(moved.every(({ from, to, reason }) => from === 'gone' && to === 'sound' && reason !== ''))
  t.match(stdout, /host gone is set aside for the rest of the run/)
  t.match(stdout, /goes on on sound/)
  let [onSound, most] = [0, 0]
  const sound = new Set<string>()
  for (const event of events) {
    if (event.type === 'instance-started' && event.host === 'sound') {
      sound.add(event.instance)
      onSound += 1
      most = Math.max(most, onSound)
    } else if (event.type === 'instance-ended' && sound.has(event.instance)) {
      onSound -= 1
    }
  }
  t.equal(most, 2, 'what moved kept to the capacity of the host it came to')
})

t.test('without another host they end as error, cause host, with the reason', async t => {
  const { code, events } = await pass(t.testdir({ 'lab.yaml': lab(false) }))
  t.equal(code, 3)
  const ended = events.flatMap(event => (event.type === 'test-ended' ? [event] : []))
  t.equal(ended.length, 4 * 3, 'every planned test has its result, and every bring-up')
  t.ok(ended.every(({ cause }) => cause === 'host'))
  t.match(
    ended.filter(({ verdict }) => verdict === 'error').at(-1)?.reason,
    /^no host is left that can serve it: gone \(2 health checks in a row failed: /,
  )
  t.equal(events.filter(({ type }) => type === 'environment-ended').length, 4)
  t.equal(events.filter(({ type }) => type === 'instance-started').length, 2, 'nobody tries it further')
})
