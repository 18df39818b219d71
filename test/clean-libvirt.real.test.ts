/** Instances on a real libvirt host that a killed runner left, and one that was kept. Needs root, QEMU and libvirt. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { localVirsh } from '../src/hypervisors/libvirt/daemons.test.fixture.js'
import { startRealHost } from '../src/hypervisors/libvirt/real-host.test.fixture.js'
import { guestcertProcess } from './cli-process.js'
import { libvirtLab } from './libvirt-lab.js'

const [program, ...args] = guestcertProcess
const limitMs = 240_000
t.setTimeout(900_000)

const manifest = `suite: slow
version: 1.0.0
title: Takes its time
tests:
  - { id: ends, title: Ends, requirements: [S-1], level: required, script: ends.sh, protocol: tap }
  - { id: waits, title: Waits, requirements: [S-2], level: required, script: waits.sh, protocol: tap }
  - { id: pauses, title: Pauses, requirements: [S-3], level: required, module: pauses.ts, needs: { host: [pause] } }
`
const pauses = `import { test } from 'guestcert/api'
export default test(async ({ host, expect }) => {
  await host.pause({ for: 600_000 })
  expect(true).toBe(true, 'it goes on')
})
`
const folder = t.testdir({
  slow: {
    'suite.yaml': manifest,
    'ends.sh': '#!/bin/sh\necho 1..1\necho ok 1\n',
    'waits.sh': '#!/bin/sh\necho 1..1\nsleep 600\necho ok 1\n',
    'pauses.ts': pauses,
  },
})
const real = await startRealHost(t)
await real.vm.seal('sealed')
const lab = await libvirtLab(real)
await writeFile(
  join(folder, 'lab.yaml'),
  `lab: killed-libvirt
defaults: { retries: 0, parallel: 1, limits: { lease: 4s, leaseRenewal: 1s, leaseLook: 300ms, leaseWait: 40s } }
hosts:
${lab.host}guests:
${lab.guest('debian-overlay', `{ overlay: ${real.vm.base} }`)}${lab.guest('debian-snapshot', '{ snapshot: sealed }')}${lab.guest('debian-lent', 'none', 'allow: [pause]')}suites: [./slow]
`,
)
const before = await everything()

/** All that an instance may leave on the host. */
async function everything(): Promise<Record<string, unknown>> {
  const namesIn = async (path: string): Promise<string[]> => (await readdir(path).catch(() => [])).sort()
  return {
    domains: await localVirsh('list', '--all'),
    snapshots: await localVirsh('snapshot-list', real.vm.name),
    disks: await namesIn(join(real.vm.base, '..')),
    claims: await namesIn(join(homedir(), '.guestcert')),
    logs: (await namesIn('/var/log/libvirt/qemu')).filter(name => name.startsWith('gc-')),
  }
}

async function clean(...flags: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await execa(program, [...args, 'lab', 'clean', 'lab.yaml', ...flags], {
    cwd: folder,
    reject: false,
  })
  t.equal(exitCode, 0, stderr)
  return stdout
}

/** Starts a pass, kills its runner when that is said in its journal, and waits until it is dead. */
async function killWhen(
  guestName: string,
  said: string,
  { also = async () => true, test }: { also?: () => Promise<boolean>; test?: string } = {},
): Promise<void> {
  const reports = join(folder, `reports-${guestName}`)
  const runner = spawn(
    program,
    [
      ...[...args, 'run', 'lab.yaml', '--guest', guestName, '--as', 'alice', '-o', reports],
      ...(test === undefined ? [] : ['--test', test]),
    ],
    {
      cwd: folder,
      stdio: 'ignore',
    },
  )
  t.teardown(() => runner.kill('SIGKILL'))
  const ended = once(runner, 'close')
  for await (const _ of setInterval(100, null, { signal: AbortSignal.timeout(limitMs) })) {
    const [run = ''] = await readdir(reports).catch(() => [])
    const file = join(reports, run, 'journal.ndjson')
    const isSaid = existsSync(file) && (await readFile(file, 'utf8')).includes(said)
    if (runner.exitCode !== null || (isSaid && (await also()))) {
      break
    }
  }
  t.equal(runner.exitCode, null, 'it is killed in the midst')
  runner.kill('SIGKILL')
  await ended
}

/** A run counts as dead when nobody has renewed its lease for as long as the lab says. */
async function untilDead(): Promise<string> {
  for await (const _ of setInterval(500, null, { signal: AbortSignal.timeout(limitMs) })) {
    const would = await clean('--dry-run')
    if (!would.includes('belongs to a run that lives')) {
      return would
    }
  }
  return ''
}

t.test('what killed runners left is removed, and the host is as it was', async t => {
  await killWhen('debian-overlay', '"slow/waits"')
  t.match(await localVirsh('list'), /gc-\S+-e1-1 +running/)
  await untilDead()
  await killWhen('debian-snapshot', '"instance-started"')
  const would = await untilDead()
  t.match(would, /would remove gc-\S+-e1-1 on kvm-1: domain, running/)
  t.notSame(await everything(), before)
  t.match(await clean(), /removed gc-\S+-e1-1 on kvm-1/)
  t.same(await everything(), before)
  t.match(await clean(), /^0 removed, 0 left$/m)
})

t.test('a guest that was kept stays until it is asked for', async t => {
  const options = { cwd: folder, reject: false } as const
  const keep = ['--guest', 'debian-overlay', '--test', 'ends', '--keep', 'always', '-o', join(folder, 'kept')]
  const { exitCode, stdout } = await execa(program, [...args, 'run', 'lab.yaml', ...keep], options)
  t.equal(exitCode, 0, stdout)
  t.match(await clean(), /left gc-\S+-e1-1 on kvm-1: .*it was kept for somebody to look at/)
  t.match(await localVirsh('list'), /gc-\S+-e1-1 +running/)
  t.match(await clean('--kept'), /removed gc-\S+-e1-1 on kvm-1/)
  t.same(await everything(), before)
})

t.test('a lent domain is given back as it was found, though its runner was killed in a pause', async t => {
  const { name } = real.vm
  await localVirsh('start', name)
  t.teardown(() => localVirsh('destroy', name))
  const seen = async (): Promise<string[]> => [
    await localVirsh('domstate', name),
    await localVirsh('dumpxml', name),
    await localVirsh('dumpxml', name, '--inactive'),
  ]
  const found = await seen()
  const isPaused = async (): Promise<boolean> => /^paused/.test(await localVirsh('domstate', name))
  await killWhen('debian-lent', '"slow/pauses"', { also: isPaused, test: 'pauses' })
  t.notSame(await seen(), found, 'it is left paused')
  t.match(await untilDead(), new RegExp(`would remove gc-\\S+-e1-1 on kvm-1: the VM ${name}, paused`))
  t.match(await clean(), /removed gc-\S+-e1-1 on kvm-1/)
  t.same(await seen(), found, 'state and definition are the same by the account of the host')
})
