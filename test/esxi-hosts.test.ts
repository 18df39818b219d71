/** Emulated ESXi hosts: hosts that misbehave, and what a runner leaves that is killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadLab } from '../src/config/load.js'
import type { Host } from '../src/config/model.js'
import { packageRoot } from '../src/config/package-root.js'
import { driverSource } from '../src/hypervisors/registry.js'
import type { JournalEvent } from '../src/journal/events.js'
import { reachedHost } from '../src/lab/emulated-hosts.js'
import { findRunningLab } from '../src/lab/running.js'
import { openDrivers } from '../src/run/drivers.js'
import { guestcert } from './cli-io.js'
import { guestcertProcess } from './cli-process.js'

t.setTimeout(300_000)
const never = new AbortController().signal
const steady = join(packageRoot, 'fixtures/test-suites/steady')
const copy = '{ copy: /vmfs/volumes/datastore1/clean/deb.vmdk }'

interface Wanted {
  readonly name: string
  readonly clean: string
  readonly faults?: string
}

function labText(hosts: readonly Wanted[], limits: string): string {
  const host = 'product: esxi, version: "8.0", driver: esxi, emulated: esxi-8-shell'
  const guest = 'product: debian, version: "12", arch: x86_64, emulated: debian-12'
  const configuration = 'configuration: { disk: pvscsi, nic: vmxnet3, vcpus: 1, memory: 512MiB }'
  return [
    'lab: shells',
    `defaults: { retries: 0, parallel: 8, limits: { ${limits} } }`,
    'hosts:',
    ...hosts.map(({ name, faults = '{}' }) => `  ${name}: { ${host}, faults: ${faults} }`),
    'guests:',
    ...hosts.map(
      ({ name, clean }) =>
        `  on-${name}: { ${guest}, on: { ${name}: { vm: vm-${name}, clean: ${clean}, via: host, ${configuration} } } }`,
    ),
    `suites: [${steady}]`,
    '',
  ].join('\n')
}

async function folderWith(t: Test, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-shells-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'lab.yaml'), text)
  return folder
}

t.test('an ESXi that misbehaves is the cause, and never makes a pass', async t => {
  const snapshot = '{ snapshot: sealed }'
  const hosts: readonly Wanted[] = [
    { name: 'vanished', clean: snapshot, faults: '{ vanishedSnapshot: { name: sealed } }' },
    { name: 'full', clean: copy, faults: '{ noSpace: true }' },
    { name: 'gone', clean: copy, faults: '{ gone: { command: registervm } }' },
    { name: 'slow', clean: copy, faults: '{ slow: { ms: 16000 } }' },
    { name: 'late', clean: snapshot, faults: '{ lateFailure: { command: snapshot.revert } }' },
  ]
  const folder = await folderWith(t, labText(hosts, 'boot: 15s, undo: 3s'))
  const { code, stderr } = await guestcert(['run', 'lab.yaml', '-o', 'reports', '--quiet'], { cwd: folder })
  t.equal(code, 3, stderr)
  const journal = await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')
  const boots = journal
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent)
    .flatMap(event =>
      event.type === 'test-ended' && event.test === 'guestcert/boot' && event.final ? [event] : [],
    )
  const found = new Map(boots.map(event => [/on-([a-z]+)@/.exec(event.environment)?.[1], event]))
  t.strictSame([...found.keys()].sort(), hosts.map(({ name }) => name).sort())
  for (const [name, { verdict }] of found) t.equal(verdict, 'error', name ?? '')
  t.match(found.get('vanished'), { cause: 'host', reason: /the VM has no snapshot "sealed"/ })
  t.match(found.get('full'), { cause: 'host', reason: /No space left on device/ })
  t.match(found.get('late'), { cause: 'host', reason: /haTask-.*the operation failed at its end/ })
  t.match(found.get('slow'), { cause: 'host', reason: /limit "boot"/ })
  t.match(found.get('gone'), { cause: /^(?:host|network)$/ })
})

t.test('what a runner left that was killed is removed, and the host is as it was', async t => {
  const hosts: readonly Wanted[] = [
    { name: 'copies', clean: copy },
    { name: 'reverts', clean: '{ snapshot: sealed }' },
  ]
  // The first test hangs, so that the run is far from its end.
  const text = labText(hosts, 'boot: 60s').replaceAll(
    ', on: {',
    ', faults: { hang: { command: first.sh } }, on: {',
  )
  const folder = await folderWith(t, text)
  const cache = await mkdtemp(join(tmpdir(), 'guestcert-cache-'))
  process.env.GUESTCERT_CACHE = cache
  const up = await guestcert(['lab', 'up', 'lab.yaml'], { cwd: folder })
  t.teardown(async () => {
    await guestcert(['lab', 'down', 'lab.yaml'], { cwd: folder })
    await rm(cache, { recursive: true, force: true })
  })
  t.equal(up.code, 0, up.stderr)

  const lab = await loadLab(join(folder, 'lab.yaml'), driverSource)
  const running = await findRunningLab(lab, cache)
  const hostOf = (name: string): Host => {
    const found = lab.hosts.get(name)
    if (running === null || found === undefined) throw new Error('the lab is not up')
    return reachedHost(found, running)
  }
  if (running === null) throw new Error('the lab is not up')
  const drivers = openDrivers(lab, cache, running)
  t.teardown(() => drivers.close())
  /** By the host's own account. */
  const everything = async (): Promise<string> => {
    const questions = [
      'vim-cmd vmsvc/getallvms',
      'for i in 1;do vim-cmd vmsvc/power.getstate $i;vim-cmd vmsvc/snapshot.get $i;done',
      'ls /vmfs/volumes/datastore1 /vmfs/volumes/datastore1/*',
      'cd "$HOME"&&mkdir -p .guestcert&&ls .guestcert',
    ]
    const machines = await Promise.all(
      hosts.map(({ name }) => drivers.driverOf(hostOf(name)).machine?.(never)),
    )
    const said = await Promise.all(machines.map(machine => machine?.run(questions.join(';'))))
    return said.map(one => one?.stdout.text).join('\n')
  }
  const before = await everything()
  t.match(before, /vm-copies[\s\S]*Powered off[\s\S]*vm-reverts[\s\S]*sealed/)

  const [program, ...args] = guestcertProcess
  const runner = spawn(program, [...args, 'run', 'lab.yaml', '-o', 'reports', '--reporter', 'json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(() => runner.kill('SIGKILL'))
  let told = ''
  runner.stdout.on('data', chunk => {
    told += String(chunk)
    if (told.split('"instance-ready"').length > hosts.length) runner.kill('SIGKILL')
  })
  const [, signal] = await once(runner, 'close')
  t.equal(signal, 'SIGKILL', 'it is killed in the midst')
  t.match(await everything(), /gc-\S+-e1-1[\s\S]*Powered on/)

  // As "guestcert lab clean" does it for hosts that are not emulated.
  for (const [name, left] of [
    ['copies', /-e1-1 false a VM \(running\)$/],
    ['reverts', /-e2-1 true the VM \[datastore1\] vm-reverts\/vm-reverts\.vmx, running$/],
  ] as const) {
    const driver = drivers.driverOf(hostOf(name))
    const found = (await driver.leftovers?.(never)) ?? []
    t.match(
      found.map(one => `${one.name} ${one.shared} ${one.what}`),
      [left],
    )
    for (const one of found) await driver.clean?.(one.name, never)
    t.strictSame(await driver.leftovers?.(never), [])
  }
  t.equal(await everything(), before)
})
