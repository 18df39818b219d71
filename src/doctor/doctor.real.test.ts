import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import t from 'tap'
import { defaultLimits } from '../config/limits.js'
import type { CleanState, Guest, Host, Lab } from '../config/model.js'
import type { Driver } from '../hypervisors/driver.js'
import { startRealHost } from '../hypervisors/libvirt/real-host.test.fixture.js'
import { createStaticDriver } from '../hypervisors/static/driver.js'
import { staticModule } from '../hypervisors/static/module.js'
import { freePort, startOpenSsh } from '../remote/openssh.test.fixture.js'
import { examine } from './examine.js'
import type { Finding } from './finding.js'
import { subjectsOf } from './subjects.js'

const never = new AbortController().signal
const place = { file: '/lab.yaml', line: 1, column: 1 }
const bounds = { clockMs: 5_000, freeBytes: 2 ** 20 }
t.setTimeout(600_000)

function labOf(host: Host, guests: readonly Guest[]): Lab {
  return {
    name: 'doctor',
    file: place.file,
    limits: { ...defaultLimits, tcp: 5_000 },
    retries: 0,
    parallel: 1,
    hosts: new Map([[host.id, host]]),
    guests: new Map(guests.map(guest => [guest.id, guest])),
    hostFailures: 2,
    suites: [],
  }
}

/** Findings of the host under ``, and of guests under their ids. */
async function look(lab: Lab, driver: Driver): Promise<Record<string, Record<string, Finding>>> {
  const subjects = subjectsOf({
    lab,
    driverOf: () => driver,
    accessOf: () => undefined,
    bounds,
    signal: never,
  })
  try {
    const examined = await examine(subjects.all, { parallel: 4, checkLimitMs: 60_000, signal: never })
    return Object.fromEntries(
      examined.map(({ guest, findings }) => [
        guest?.id ?? '',
        Object.fromEntries(findings.map(finding => [finding.check, finding])),
      ]),
    )
  } finally {
    await subjects.close()
  }
}

const statesOf = (findings: Record<string, Finding> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(findings ?? {}).map(([check, { state }]) => [check, state]))

t.test('this machine as a guest, behind a real OpenSSH server', async t => {
  const ssh = await startOpenSsh()
  t.teardown(() => ssh.close())
  const os = await readFile('/etc/os-release', 'utf8')
  const product = /^ID=(.*)$/m.exec(os)?.[1] ?? ''
  const version = /^VERSION_ID="(.*)"$/m.exec(os)?.[1] ?? ''
  const host: Host = {
    id: 'here',
    place,
    product: 'none',
    version: '1',
    driver: staticModule,
    capacity: { guests: 9, vcpus: 9, memoryBytes: 2 ** 30, locks: [] },
  }
  const guest = (id: string, port: number, change: Partial<Guest> = {}): Guest => ({
    id,
    place,
    product,
    version,
    arch: 'x86_64',
    family: 'linux',
    shell: 'posix',
    login: ssh.login(),
    tags: [],
    reboot: null,
    on: [
      {
        host: 'here',
        place,
        endpoint: { host: '127.0.0.1', port, jumps: [] },
        clean: { kind: 'none' },
        viaHost: false,
        configuration: { name: 'default' },
      },
    ],
    ...change,
  })
  const otherKey = { kind: 'pinned', fingerprint: `SHA256:${'A'.repeat(43)}` } as const
  const found = await look(
    labOf(host, [
      guest('well', ssh.port),
      guest('other', ssh.port, { version: '5.11', product: 'rhel' }),
      guest('stranger', ssh.port, { login: ssh.login({ hostKey: otherKey }) }),
      guest('refused', ssh.port, { login: ssh.login({ user: 'nobody-here' }) }),
      guest('gone', await freePort()),
    ]),
    createStaticDriver(),
  )
  const all = (...states: string[]): Record<string, string> => {
    const names = ['reachable', 'host key', 'login', 'product', 'version', 'clock', 'free space']
    return Object.fromEntries(names.map((name, index) => [name, states[index] ?? states.at(-1) ?? '']))
  }
  t.same(statesOf(found.well), all('ok'), JSON.stringify(found.well))
  t.match(found.well?.clock?.seen, /^0\.\d+ s (ahead|behind), give or take 0\.\d+ s$/)
  t.same(statesOf(found.other), { ...all('ok'), product: 'missing', version: 'missing' })
  t.match(found.other?.version, { asked: '5.11', seen: new RegExp(`^${version}`) })
  t.same(statesOf(found.stranger), all('ok', 'missing', 'not-checked'))
  t.same(statesOf(found.refused), all('ok', 'ok', 'missing', 'not-checked'))
  t.same(statesOf(found.gone), all('missing', 'not-checked'))
})

t.test('a real libvirt host with a Debian VM', async t => {
  const real = await startRealHost(t)
  const guest = async (id: string, clean: CleanState, vm?: string, vcpus?: number): Promise<Guest> => {
    const { guest: debian, placement } = await real.requestFor(1, clean, vm)
    const configuration = { ...placement.configuration, ...(vcpus === undefined ? {} : { vcpus }) }
    return { ...debian, id, on: [{ ...placement, configuration }] }
  }
  const { base } = real.vm
  const lab = labOf(real.host, [
    await guest('overlay', { kind: 'overlay', path: base }),
    await guest('copy', { kind: 'copy', path: base }),
    await guest('no-snapshot', { kind: 'snapshot', name: 'nowhere' }),
    await guest('no-disk', { kind: 'overlay', path: `${dirname(base)}/missing.qcow2` }),
    await guest('no-vm', { kind: 'overlay', path: base }, 'no-such-vm'),
    await guest('other-vm', { kind: 'overlay', path: base }, undefined, 4),
  ])
  const found = await look(lab, real.openDriver())
  const names = [
    'reachable',
    'host key',
    'login',
    'product',
    'version',
    'tools',
    'libvirt',
    'vcpus',
    'memory',
    'clock',
  ]
  t.same(statesOf(found['']), Object.fromEntries(names.map(name => [name, 'ok'])), JSON.stringify(found['']))
  const well = { vm: 'ok', 'clean state': 'ok', 'free space': 'ok' }
  const behind = { 'clean state': 'not-checked', 'free space': 'not-checked' }
  t.same(statesOf(found.overlay), well, JSON.stringify(found.overlay))
  t.same(statesOf(found.copy), well, JSON.stringify(found.copy))
  t.same(statesOf(found['no-snapshot']), { vm: 'ok', 'clean state': 'missing' })
  t.same(statesOf(found['no-disk']), { vm: 'ok', 'clean state': 'missing', 'free space': 'not-checked' })
  t.same(statesOf(found['no-vm']), { vm: 'missing', ...behind })
  t.match(found['no-vm']?.vm?.seen, /no such VM/)
  t.same(statesOf(found['other-vm']), { vm: 'missing', ...behind })
  t.match(found['other-vm']?.vm?.seen, /vcpus is 1, not 4/)

  await t.test('declared as another, with more than it has, and reached by another key', async t => {
    const other = {
      ...real.host,
      version: '11',
      capacity: { guests: 1, vcpus: 4096, memoryBytes: 2 ** 50, locks: [] },
    }
    const more = await look(labOf(other, []), real.openDriver(other))
    t.match(statesOf(more['']), {
      login: 'ok',
      product: 'ok',
      version: 'missing',
      vcpus: 'missing',
      memory: 'missing',
    })
  })
  t.same(await real.instances(real.openDriver()), [], 'nothing was made')
  t.same(await real.instanceFiles(), [])
})
