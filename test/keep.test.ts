/** What `--keep` leaves is marked on its host, so that nobody takes it for an orphan, and can be logged in to. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { loadLab } from '../src/config/load.js'
import { createLibvirtDriver } from '../src/hypervisors/libvirt/driver.js'
import { driverSource } from '../src/hypervisors/registry.js'
import { reachedHost } from '../src/lab/emulated-hosts.js'
import { findRunningLab } from '../src/lab/running.js'
import { guestcert } from './cli-io.js'
import { guestcertProcess } from './cli-process.js'

t.setTimeout(300_000)
const folder = t.testdir({
  'lab.yaml': `lab: kept
defaults: { retries: 0 }
hosts:
  kvm: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm }
  here: { product: rhel-kvm, version: "9.6", driver: static }
guests:
  deb:
    { product: debian, version: "12", arch: x86_64, emulated: debian-12,
      on: { kvm: { vm: deb, clean: { overlay: /var/lib/libvirt/images/clean.qcow2 }, via: host, configuration: { vcpus: 1, memory: 512MiB } } } }
  own: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
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

/** What a shell in a kept guest comes to. */
function shell(guest: string, cache: string, input: string) {
  const [program, ...args] = guestcertProcess
  const env = { GUESTCERT_CACHE: cache, SSH_AUTH_SOCK: '' }
  return execa(program, [...args, 'shell', 'latest', guest], { cwd: folder, env, input, reject: false })
}

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
  t.match(found, [{ name: /^gc-.*-e\d-1$/, kept: true }])

  // A guest that its host started, behind that host; and one that stands where the emulator listens.
  for (const guest of ['deb', 'own']) {
    const inside = await shell(guest, cache, 'echo "in with $((40 + 2))"; exit 0\n')
    t.match(inside, { exitCode: 0, stdout: 'in with 42' }, `${guest}: ${inside.stderr}`)
    t.match(await shell(guest, cache, 'exit 7\n'), { exitCode: 3 })
  }
})
