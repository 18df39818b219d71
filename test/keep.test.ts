/** What `--keep` leaves is marked on its host, so that nobody takes it for an orphan. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadLab } from '../src/config/load.js'
import { createLibvirtDriver } from '../src/hypervisors/libvirt/driver.js'
import { driverSource } from '../src/hypervisors/registry.js'
import { reachedHost } from '../src/lab/emulated-hosts.js'
import { findRunningLab } from '../src/lab/running.js'
import { guestcert } from './cli-io.js'

t.setTimeout(300_000)
const folder = t.testdir({
  'lab.yaml': `lab: kept
defaults: { retries: 0 }
hosts: { kvm: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm } }
guests:
  deb:
    { product: debian, version: "12", arch: x86_64, emulated: debian-12,
      on: { kvm: { vm: deb, clean: { overlay: /var/lib/libvirt/images/clean.qcow2 }, via: host, configuration: { vcpus: 1, memory: 512MiB } } } }
suites: [./tiny]
`,
  tiny: {
    'suite.yaml': `suite: tiny
version: 1.0.0
title: Tiny
tests:
  - { id: holds, title: Holds, requirements: [K-1], level: required, script: holds.sh, protocol: tap }
`,
    'holds.sh': '#!/bin/sh\necho 1..1\necho ok 1 - it holds\n',
  },
})

t.test('an instance that is kept says so on its host', async t => {
  const cache = await mkdtemp(join(tmpdir(), 'guestcert-cache-'))
  process.env.GUESTCERT_CACHE = cache
  const up = await guestcert(['lab', 'up', 'lab.yaml'], { cwd: folder })
  t.teardown(async () => {
    const down = await guestcert(['lab', 'down', 'lab.yaml'], { cwd: folder })
    await rm(cache, { recursive: true, force: true })
    if (down.code !== 0) throw new Error(down.stderr)
  })
  t.equal(up.code, 0, up.stderr)
  const ended = await guestcert(['run', 'lab.yaml', '--keep', 'always'], { cwd: folder })
  t.equal(ended.code, 0, ended.stdout + ended.stderr)

  const lab = await loadLab(join(folder, 'lab.yaml'), driverSource)
  const running = await findRunningLab(lab, cache)
  const host = lab.hosts.get('kvm')
  if (running === null || host === undefined) throw new Error('the lab is not up')
  const driver = createLibvirtDriver({ host: reachedHost(host, running) })
  t.teardown(() => driver.close())
  const found = (await driver.leftovers?.(new AbortController().signal)) ?? []
  t.match(found, [{ name: /^gc-.*-e1-1$/, kept: true }])
})
