import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { driverSource } from '../hypervisors/registry.js'
import { loadLab } from './load.js'
import type { Host } from './model.js'

async function hostWith(t: Test, defaults: string, more: string): Promise<Host['limits']> {
  const file = join(t.testdir(), 'lab.yaml')
  await writeFile(
    file,
    `lab: limits
${defaults}
hosts:
  xen-1:
    product: xen
    version: "4.17"
    driver: xl
    connect: { ssh: root@xen-1.lab.example, key: agent }
${more}
guests:
  debian:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, key: agent }
    on: { xen-1: { vm: debian, clean: none, configuration: { vcpus: 1 } } }
suites: [builtin]
`,
  )
  return (await loadLab(file, driverSource)).hosts.get('xen-1')?.limits
}

t.test('a host has the limits that it is given, and no others', async t => {
  t.same(await hostWith(t, '', '    limits: { start: 5m, consoleSize: 1MiB }'), {
    start: 300_000,
    consoleSize: 2 ** 20,
  })
})

t.test('connecting takes as long as to all machines, unless the host says its own', async t => {
  const defaults = 'defaults: { limits: { tcp: 3s, handshake: 40s, command: 5m } }'
  t.same(await hostWith(t, defaults, '    limits: { handshake: 1m }'), { tcp: 3_000, handshake: 60_000 })
})

t.test('a host that is booted in software emulation is given time', async t => {
  t.match(await hostWith(t, '', '    image: xen-dom0'), { handshake: 120_000 })
})

t.test('a limit that no driver knows is a mistake with its place', async t => {
  await t.rejects(hostWith(t, '', '    limits: { strat: 5m }'), {
    message: /lab\.yaml:\d+:\d+.*strat/s,
  })
})
