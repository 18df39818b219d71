/** Machines that a lab only lends, on emulated hosts: used as allowed, and given back as they were found. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { defaultLimits } from '../src/config/limits.js'
import { loadLab } from '../src/config/load.js'
import type { Guest, Host, Placement } from '../src/config/model.js'
import type { Driver } from '../src/hypervisors/driver.js'
import { createLibvirtDriver } from '../src/hypervisors/libvirt/driver.js'
import { driverSource } from '../src/hypervisors/registry.js'
import { createXlDriver } from '../src/hypervisors/xl/driver.js'
import type { JournalEvent } from '../src/journal/events.js'
import { startEmulatedLab } from '../src/lab/emulated.js'
import { reachedHost } from '../src/lab/emulated-hosts.js'
import { guestcert } from './cli-io.js'

t.setTimeout(240_000)
const never = new AbortController().signal

const lab = `lab: lending
defaults: { limits: { boot: 60s, undo: 20s }, retries: 0 }
hosts:
  kvm: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm }
  xen: { product: xen, version: "4.17", driver: xl, emulated: xen-4.17, capacity: { guests: 1, vcpus: 1, memory: 1GiB } }
guests:
  deb:
    product: debian
    version: "12"
    arch: x86_64
    emulated: debian-12
    allow: [pause]
    on: { kvm: { vm: deb, clean: none, via: host, configuration: { memory: 1GiB, vcpus: 1 } } }
  debian12:
    product: debian
    version: "12"
    arch: x86_64
    emulated: debian-12-xen
    allow: [pause]
    on: { xen: { vm: debian12, clean: none, via: host, configuration: { mode: pv, disk: xen-blk, nic: xen-vif, vcpus: 1, memory: 512MiB } } }
suites: [./lent]
`
const manifest = `suite: lent
version: 1.0.0
title: Uses a machine that is lent
tests:
  - { id: pauses, title: Pauses, requirements: [L-1], level: required, module: pauses.ts, limit: 3s, needs: { host: [pause] } }
  - { id: ends, title: Answers, requirements: [L-2], level: required, script: ends.sh, protocol: tap }
  - { id: stops, title: Is powered off, requirements: [L-3], level: required, module: pauses.ts, needs: { host: [stop] } }
`
const pauses = `import { test } from 'guestcert/api'
export default test(async ({ host, expect }) => {
  await host.pause({ for: 600_000 })
  expect(true).toBe(true, 'it goes on')
})
`

t.test(
  'a limit fires in the middle of a pause: the machine goes on, and what is not allowed is left out',
  async t => {
    const folder = t.testdir({
      'lab.yaml': lab,
      lent: { 'suite.yaml': manifest, 'pauses.ts': pauses, 'ends.sh': '#!/bin/sh\necho 1..1\necho ok 1\n' },
    })
    const plan = await guestcert(['plan', join(folder, 'lab.yaml')])
    t.match(
      plan.stdout,
      /lent\/stops\s+the lab only lends this VM \(clean: none\) and does not allow stop \(allow: \[stop\]\)/,
    )
    await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports')])
    const journal = await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')
    const events = journal
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as JournalEvent)
    for (const guest of ['deb@', 'debian12@']) {
      const verdicts = events.flatMap(event =>
        event.type === 'test-ended' && event.final && event.environment.startsWith(guest)
          ? [`${event.test} ${event.verdict}`]
          : [],
      )
      // The machine that is lent to the next instance runs, and answers.
      const [paused, ...others] = verdicts.splice(1, 3)
      t.match(paused, /^lent\/pauses (?:error|fail)$/, guest)
      t.same(
        [...verdicts, ...others],
        ['guestcert/boot pass', 'guestcert/boot pass', 'lent/ends pass'],
        guest,
      )
    }
    const ended = events.flatMap(event => (event.type === 'instance-ended' ? [event] : []))
    t.ok(ended.length >= 2)
    for (const { orphan, undone } of ended) {
      t.equal(orphan, null)
      t.ok(undone.includes('remove'))
    }
  },
)

interface Case {
  readonly host: string
  readonly guest: string
  /** Starts the machine, as its owner does. */
  readonly begin: string
  /** Says what state it is in. */
  readonly look: string
  readonly open: (host: Host) => Driver & { clean(name: string, signal: AbortSignal): Promise<void> }
}

const cases: readonly Case[] = [
  {
    host: 'kvm',
    guest: 'deb',
    begin: 'virsh start deb',
    look: 'virsh domstate deb',
    open: host => createLibvirtDriver({ host }),
  },
  {
    host: 'xen',
    guest: 'debian12',
    begin: 'xl create /etc/xen/debian12.cfg',
    look: "xl list|sed -n 's/^debian12 .* \\([r-][b-][p-][s-][c-][d-]\\) .*/\\1/p'",
    open: host => createXlDriver({ host, cacheFolder: '/nowhere' }),
  },
]

for (const { host: id, guest: guestId, begin, look, open } of cases) {
  t.test(`${id}: what a dead runner left paused is given back as it was found`, async t => {
    const { host, guest, placement, folder } = await startLab(t, id, guestId)
    const dead = open(host)
    t.teardown(() => dead.close())
    const machine = await dead.machine?.(never)
    const power = async (): Promise<string> => (await machine?.run(look))?.stdout.text.trim() ?? ''
    await machine?.run(begin)
    const found = await power()
    t.match(found, /^(?:running|[-rb]+)$/)
    const request = {
      instance: 'gc-run-e1-1',
      guest,
      placement,
      evidenceFolder: folder,
      limits: defaultLimits,
    }
    const running = await (await dead.instance(request).prepare(never)).start(never)
    await running.pause?.(never)
    t.match(await power(), /^(?:paused|.*p.*)$/)
    const next = open(host)
    t.teardown(() => next.close())
    await next.clean('gc-run-e1-1', never)
    t.equal(await power(), found)
    t.strictSame(await next.leftovers?.(never), [])
  })
}

async function startLab(
  t: Test,
  hostId: string,
  guestId: string,
): Promise<{ host: Host; guest: Guest; placement: Placement; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-lent-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'lab.yaml'), lab.replace('[./lent]', '[builtin]'))
  const read = await loadLab(join(folder, 'lab.yaml'), driverSource)
  const emulated = await startEmulatedLab(read, never)
  t.teardown(() => emulated.close())
  const [host, guest] = [read.hosts.get(hostId), read.guests.get(guestId)]
  const [placement] = guest?.on ?? []
  if (host === undefined || guest === undefined || placement === undefined) {
    throw new Error(`the lab has no ${guestId} on ${hostId}`)
  }
  return { host: reachedHost(host, emulated), guest, placement, folder }
}
