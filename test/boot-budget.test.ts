import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'

t.setTimeout(240_000)

const bootMs = 5_000

/** A guest that never answers, on a host whose tools take so much longer. */
const labOf = (slowMs: number): string => `lab: budget
defaults: { limits: { boot: 5s, notice: 500ms, undo: 3s }, retries: 0 }
hosts:
  kvm: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm${slowMs === 0 ? '' : `, faults: { slow: { ms: ${slowMs} } }`} }
guests:
  deb:
    product: debian
    version: "12"
    arch: x86_64
    emulated: debian-12
    faults: { neverBoots: true }
    on: { kvm: { vm: deb, clean: { overlay: /var/lib/libvirt/images/deb.qcow2 }, via: host, configuration: { memory: 1GiB, vcpus: 1 } } }
suites: [${join(packageRoot, 'fixtures/test-suites/steady')}]
`

async function eventsOf(folder: string): Promise<readonly JournalEvent[]> {
  await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports'), '-q'])
  const journal = await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')
  return journal
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent)
}

t.test('one limit "boot" holds from the preparation to the first command, and says whose it was', async t => {
  for (const { slowMs, wanted } of [
    { slowMs: 0, wanted: { verdict: 'fail', cause: 'guest', reason: /within the limit "boot" of 5000 ms/ } },
    {
      slowMs: 400,
      wanted: {
        verdict: 'error',
        cause: 'host',
        reason: /the host took .* of it to prepare and to start|the limit "boot" of 5\.0 s/,
      },
    },
  ]) {
    const events = await eventsOf(t.testdir({ 'lab.yaml': labOf(slowMs) }))
    const ended = events.find(event => event.type === 'test-ended')
    t.match(ended, { test: 'guestcert/boot', ...wanted })
    const started = events.find(event => event.type === 'test-started')
    const waits = events.flatMap(event => (event.type === 'waiting' && event.limit === 'boot' ? [event] : []))
    t.ok(waits.length > 0)
    for (const { until = '' } of waits) {
      const fromStart = Date.parse(until) - Date.parse(started?.at ?? '')
      t.ok(
        fromStart <= bootMs + 50,
        `no step has a limit of its own: it ends ${fromStart} ms after the start`,
      )
    }
  }
})
