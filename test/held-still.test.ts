import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'

/** How long the host takes to save a guest: many times what a connection may be silent. */
const savesMs = 4_000
const manifest = `suite: held
version: 1.0.0
title: Guests that are held still
tests:
  - { id: waits, title: A module waits meanwhile, requirements: [H-1], level: required, module: waits.ts, needs: { host: [snapshot, pause] }, limit: 60s }
  - { id: answers, title: The guest serves on, requirements: [H-1], level: required, script: answers.sh, protocol: exit }
`
/** A command runs beside it, with a limit that the save alone would reach; both are on the connection from before. */
const waits = `import { test } from 'guestcert/api'

export default test(async ({ guest, host, expect }) => {
  const identity = await guest.bootIdentity()
  const beside = guest.run('sleep 1; echo through', { limit: '2s' })
  const late = guest.run('sleep 600', { limit: '500ms' })
  await host.snapshot('held')
  const { stdout, end } = await beside
  expect(stdout).toBe('through\\n', 'the command that ran meanwhile has ended well')
  expect(end).toEqual({ kind: 'code', code: 0 }, 'and was not stopped')
  expect((await late).end.kind).toBe('limit', 'a limit that is reached in the guest’s own time stops')
  await host.pause({ for: '3s' })
  expect(await guest.bootIdentity()).toBe(identity, 'it is the same boot')
  await host.deleteSnapshot('held')
})
`

/** libvirt keeps a guest's memory in its disk, xl in a file beside. */
const hosts = {
  libvirt: `slow: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm, FAULTS }`,
  xl: `slow: { product: xen, version: "4.17", driver: xl, emulated: xen-4.17, FAULTS }`,
} as const
const guests = {
  libvirt: `emulated: debian-12
    on: { slow: { vm: debian, clean: { snapshot: sealed }, via: host, configuration: { vcpus: 1, memory: 1GiB } } }`,
  xl: `emulated: debian-12-xen
    on: { slow: { vm: debian, clean: { copy: /var/lib/xen/images/clean/debian.img }, via: host, configuration: { mode: pv, disk: xen-blk, nic: xen-vif, vcpus: 1, memory: 512MiB } } }`,
} as const

function lab(driver: keyof typeof hosts): string {
  const faults = `faults: { slowSaves: { ms: ${savesMs} } }, capacity: { guests: 1, vcpus: 1, memory: 1GiB }`
  return `lab: held
defaults: { limits: { keepalive: 300ms }, retries: 0 }
hosts:
  ${hosts[driver].replace('FAULTS', faults)}
guests:
  debian:
    product: debian
    version: "12"
    arch: x86_64
    ${guests[driver]}
suites: [./held]
`
}

for (const driver of ['libvirt', 'xl'] as const) {
  t.test(`${driver}: a guest that its host holds still is silent, and not lost`, async t => {
    const folder = t.testdir({
      'lab.yaml': lab(driver),
      held: { 'suite.yaml': manifest, 'waits.ts': waits, 'answers.sh': '#!/bin/sh\ntest -d /proc/1\n' },
    })
    const { code, stdout } = await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports')])
    const journal = await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')
    const events = journal
      .split('\n')
      .flatMap(line => (line === '' ? [] : [JSON.parse(line) as JournalEvent]))
    const ended = events.flatMap(event =>
      event.type === 'test-ended' ? [{ test: event.test, verdict: event.verdict, reason: event.reason }] : [],
    )
    t.match(
      ended.filter(({ test }) => test.startsWith('held/')),
      [
        { test: 'held/waits', verdict: 'pass' },
        { test: 'held/answers', verdict: 'pass' },
      ],
      stdout,
    )
    t.equal(code, 0)
  })
}
