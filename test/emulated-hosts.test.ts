import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { defaultLimits } from '../src/config/limits.js'
import { loadLab } from '../src/config/load.js'
import type { Host } from '../src/config/model.js'
import { packageRoot } from '../src/config/package-root.js'
import { createLibvirtDriver } from '../src/hypervisors/libvirt/driver.js'
import { driverSource } from '../src/hypervisors/registry.js'
import type { JournalEvent } from '../src/journal/events.js'
import { startEmulatedLab } from '../src/lab/emulated.js'
import { reachedHost } from '../src/lab/emulated-hosts.js'
import { guestcertProcess } from './cli-process.js'

/** A script that hangs in a panicked guest would be ended by its limit of 20 minutes only. */
const soonMs = 600_000
const [program, ...args] = guestcertProcess
const overlay = '/var/lib/libvirt/images/clean.qcow2'

interface Wanted {
  readonly faults: string
  readonly clean?: string
}

/** A lab with one small guest on a host that misbehaves. */
function labText(hosts: Readonly<Record<string, Wanted>>, limits: string): string {
  const names = Object.keys(hosts)
  return [
    'lab: trouble',
    `defaults: { retries: 0, parallel: 8, limits: { ${limits} } }`,
    'hosts:',
    ...names.map(
      name =>
        `  ${name}: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm, faults: ${hosts[name]?.faults} }`,
    ),
    'guests:',
    ...names.flatMap(name => [
      `  on-${name}:`,
      '    { product: debian, version: "12", arch: x86_64, emulated: debian-12,',
      `      on: { ${name}: { vm: deb, clean: ${hosts[name]?.clean ?? '{ snapshot: sealed }'}, via: host, configuration: { vcpus: 1, memory: 512MiB } } } }`,
    ]),
    'suites: [builtin]',
    '',
  ].join('\n')
}

async function folderWith(t: Test, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-hosts-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'lab.yaml'), text)
  return folder
}

t.test('a host that misbehaves is the cause, and never makes a pass', async t => {
  const hosts = {
    vanished: { faults: '{ vanishedSnapshot: { name: sealed } }' },
    full: { faults: '{ noSpace: true }', clean: `{ overlay: ${overlay} }` },
    slow: { faults: '{ slow: { ms: 9000 } }' },
    gone: { faults: '{ gone: { command: snapshot-revert } }' },
  }
  const folder = await folderWith(t, labText(hosts, 'boot: 8s, undo: 3s'))
  const { exitCode, stderr } = await execa(
    program,
    [...args, 'run', 'lab.yaml', '-o', 'reports', '--test', 'core/reachable', '--quiet'],
    { cwd: folder, reject: false, stdin: 'ignore' },
  )
  t.equal(exitCode, 3, stderr)
  const lines = (await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')).trimEnd().split('\n')
  const ended = lines
    .map(line => JSON.parse(line) as JournalEvent)
    .flatMap(event => (event.type === 'test-ended' && event.final ? [event] : []))
  const boots = ended.filter(({ test }) => test === 'guestcert/boot')
  const found = new Map(boots.map(event => [/on-([a-z]+)@/.exec(event.environment)?.[1], event]))
  t.same(
    ended.flatMap(({ test, verdict }) => (test === 'guestcert/boot' ? [] : [`${test} ${verdict}`])),
    Object.keys(hosts).map(() => 'core/reachable blocked'),
    'the test is not blamed for what its guest never came to',
  )
  t.strictSame([...found.keys()].sort(), Object.keys(hosts).sort())
  for (const [name, event] of found) t.equal(event.verdict, 'error', name ?? '')
  t.match(found.get('vanished'), { cause: 'host', reason: /has no snapshot "sealed"/ })
  t.match(found.get('full'), { cause: 'host', reason: /No space left on device/ })
  t.match(found.get('slow'), { cause: 'host', reason: /limit "boot"/ })
  // A connection that breaks may be the network's fault: nobody can tell from here.
  t.match(found.get('gone'), { cause: /^(?:host|network)$/ })
  t.match(stderr, /emulated host gone: peak usage 0 of 1 guests/)
})

t.test('a panic on a console of an emulated host ends its test at once, with that line', async t => {
  const crashing = join(packageRoot, 'fixtures/test-suites/crashing')
  const text = labText({ kvm: { faults: '{}', clean: `{ overlay: ${overlay} }` } }, 'boot: 60s').replace(
    'suites: [builtin]',
    `suites: [${crashing}]`,
  )
  const folder = await folderWith(t, text)
  const { exitCode, stdout, stderr } = await execa(
    program,
    [...args, 'run', 'lab.yaml', '-o', 'reports', '--quiet'],
    { cwd: folder, reject: false, stdin: 'ignore' },
  )
  t.equal(exitCode, 1, `${stdout}${stderr}`)
  const run = join(folder, 'reports/latest')
  const lines = (await readFile(join(run, 'journal.ndjson'), 'utf8')).trimEnd().split('\n')
  const ended = new Map(
    lines
      .map(line => JSON.parse(line) as JournalEvent)
      .flatMap(event => (event.type === 'test-ended' && event.final ? [[event.test, event] as const] : [])),
  )
  const panicked = ended.get('crashing/panics')
  t.match(panicked, {
    verdict: 'fail',
    cause: 'guest',
    reason: /kernel panic on the console: .*Kernel panic - not syncing: sysrq triggered crash/,
  })
  t.ok(
    (panicked?.durationMs ?? soonMs) < soonMs,
    `it took ${panicked?.durationMs} ms of the script's 20 minutes`,
  )
  t.match(ended.get('crashing/oopses'), {
    verdict: 'fail',
    cause: 'guest',
    reason: /kernel oops on the console: .*Oops: 0000 \[#1\]/,
  })
  t.match(ended.get('crashing/announced'), { verdict: 'pass' }, 'a crash that was announced is tolerated')
  const files = await readdir(join(run, 'evidence'), { recursive: true })
  const consoles = await Promise.all(
    files
      .filter(name => name.endsWith('console.log'))
      .map(name => readFile(join(run, 'evidence', name), 'utf8')),
  )
  t.equal(consoles.length, 3)
  for (const console of consoles) t.match(console, /^\[ {4}0\.000000\] Linux version/, 'from power-on')
  t.equal(consoles.filter(console => console.includes('Kernel panic')).length, 2)
})

t.test('a guest that its host does not let go of is told as left, with the host as cause', async t => {
  const folder = await folderWith(t, labText({ stuck: { faults: '{ stuckInShutdown: {} }' } }, 'boot: 60s'))
  const lab = await loadLab(join(folder, 'lab.yaml'), driverSource)
  const emulated = await startEmulatedLab(lab, new AbortController().signal)
  t.teardown(() => emulated.close())
  const described = lab.hosts.get('stuck') as Host
  const driver = createLibvirtDriver({
    host: reachedHost({ ...described, limits: { shutdown: 300 } }, emulated),
  })
  t.teardown(() => driver.close())
  const guest = lab.guests.get('on-stuck')
  const [placement] = guest?.on ?? []
  if (guest === undefined || placement === undefined) throw new Error('the lab has no such guest')
  const never = new AbortController().signal
  const request = {
    instance: 'gc-run-e1-1',
    guest,
    placement,
    evidenceFolder: folder,
    limits: defaultLimits,
  }
  const prepared = await driver.instance(request).prepare(never)
  const running = await prepared.start(never)
  await t.rejects(running.stop(never), {
    message: /the host did not end deb: it is in shutdown.*Device or resource busy/s,
    context: { cause: 'host' },
  })
  await t.rejects(prepared.remove(never), { message: /in shutdown/ })
  t.match(await driver.instances(never), [{ name: 'gc-run-e1-1', vm: 'deb', state: 'in shutdown' }])
})
