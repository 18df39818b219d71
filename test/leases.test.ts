/** The fence around emulated guests: what a pass is worth when somebody else gets at the machine. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'

const lease = '/var/tmp/guestcert-guest.lease'
/** What the test does to the lease of its own machine, by the number of the machine's virtual CPUs. */
const script = `#!/bin/sh
echo 1..1
case $GC_VCPUS in
2|3)
  # Just renewed: no renewal falls between the two steps, and finds no lease at all.
  was=$(cat ${lease}/1); while [ "$(cat ${lease}/1)" = "$was" ]; do sleep 0.1; done; sleep 0.1
  mv ${lease} ${lease}.away; ln -s ${lease}.away ${lease};;
4) printf '%s\\n' 'state held' 'id mallory' "until $(date +%s)" 'ttl 0' 'every 1' 'renewal 0' 'who mallory' 'from afar' 'run x' end >${lease}/9;;
esac
[ "$GC_VCPUS" = 1 ] || sleep 4
[ "$GC_VCPUS" != 3 ] || echo "not ok 1 - it fails"
[ "$GC_VCPUS" = 3 ] || echo "ok 1 - it holds"
`

const guests = [
  ['keeps', 1],
  ['unsure', 2],
  ['fails', 3],
  ['taken', 4],
] as const

t.setTimeout(300_000)
const folder = t.testdir({
  'lab.yaml': `lab: leased
defaults: { retries: 0, limits: { lease: 4s, leaseRenewal: 1s, leaseLook: 200ms, leaseWait: 60s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
${guests
  .map(
    ([id, vcpus]) =>
      `  ${id}: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: { vcpus: ${vcpus} } } } }`,
  )
  .join('\n')}
suites: [./act]
`,
  act: {
    'suite.yaml': `suite: act
version: 1.0.0
title: Acts on the lease of its machine
tests:
  - { id: acts, title: Acts, requirements: [A-1], level: required, script: acts.sh, protocol: tap, limit: 60s }
`,
    'acts.sh': script,
  },
})

/** The events of a run by guest. */
async function eventsOf(reports: string): Promise<Map<string, JournalEvent[]>> {
  const text = await readFile(join(folder, reports, 'latest/journal.ndjson'), 'utf8')
  const found = new Map<string, JournalEvent[]>()
  for (const line of text.trimEnd().split('\n')) {
    const event = JSON.parse(line) as JournalEvent
    const guest = 'environment' in event ? event.environment.split('@')[0] : undefined
    if (guest !== undefined) found.set(guest, [...(found.get(guest) ?? []), event])
  }
  return found
}

function endOf(events: readonly JournalEvent[] = []): JournalEvent | undefined {
  return events.find(event => event.type === 'test-ended' && event.test === 'act/acts')
}

function tokenOf(events: readonly JournalEvent[] = []): number | undefined {
  return events.flatMap(event => (event.type === 'lease-taken' ? [event.token] : []))[0]
}

t.test('emulated guests hold leases, and no pass counts without', async t => {
  const cache = await mkdtemp(join(tmpdir(), 'guestcert-cache-'))
  process.env.GUESTCERT_CACHE = cache
  const up = await guestcert(['lab', 'up', 'lab.yaml'], { cwd: folder })
  t.teardown(async () => {
    const down = await guestcert(['lab', 'down', 'lab.yaml'], { cwd: folder })
    await rm(cache, { recursive: true, force: true })
    if (down.code !== 0) throw new Error(down.stderr)
  })
  t.equal(up.code, 0, up.stderr)

  const first = await guestcert(['run', 'lab.yaml', '-o', 'first', '--as', 'alice'], { cwd: folder })
  t.equal(first.code, 1, first.stdout + first.stderr)
  const seen = await eventsOf('first')
  for (const [guest] of guests) t.equal(tokenOf(seen.get(guest)), 1, guest)
  t.match(endOf(seen.get('keeps')), { verdict: 'pass' })
  t.match(
    endOf(seen.get('unsure')),
    { verdict: 'error', cause: 'host', reason: /its lease cannot be kept: .* is a link/, checks: { ok: 1 } },
    'renewals have failed for too long, and the machine does not confirm it',
  )
  t.match(endOf(seen.get('fails')), { verdict: 'fail' }, 'what was seen to fail has failed')
  t.match(
    endOf(seen.get('taken')),
    { verdict: 'error', cause: 'host', reason: /the lease was lost: it was taken over by mallory on afar/ },
    'it ends when the next renewal finds it out',
  )

  const only = ['--guest', 'taken']
  const second = await guestcert(['run', 'lab.yaml', '-o', 'second', ...only], { cwd: folder })
  t.equal(second.code, 0, second.stdout + second.stderr)
  const after = (await eventsOf('second')).get('taken')
  t.match(
    after?.find(({ type }) => type === 'lease-awaited'),
    { machine: 'taken', owner: /^mallory on afar/ },
  )
  t.equal(tokenOf(after), 10, 'mallory does not renew it')
  t.match(endOf(after), { verdict: 'pass' })

  await t.test('what was given back is free at once, with the next token', async t => {
    const third = await guestcert(['run', 'lab.yaml', '-o', 'third', ...only], { cwd: folder })
    t.equal(third.code, 0, third.stdout + third.stderr)
    const events = (await eventsOf('third')).get('taken')
    t.notOk(events?.some(({ type }) => type === 'lease-awaited'))
    t.equal(tokenOf(events), 11)
  })
})
