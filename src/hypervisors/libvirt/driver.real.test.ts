import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import t from 'tap'
import { InfraError } from '../../config/errors.js'
import { defaultLimits } from '../../config/limits.js'
import type { CleanState, Guest, Host, Login } from '../../config/model.js'
import { buildImage } from '../../lab/images/build.js'
import { loadRecipe } from '../../lab/images/recipe.js'
import { connectWithRetries, type Machine } from '../../remote/index.js'
import { freePort, startOpenSsh } from '../../remote/openssh.test.fixture.js'
import type { GuestRequest, RunningGuest } from '../driver.js'
import { defaultCacheFolder } from '../qemu/cache.js'
import { aborted } from '../qemu/limit.js'
import { localVirsh, startDaemons } from './daemons.test.fixture.js'
import { defineDebianVm } from './debian.test.fixture.js'
import { createLibvirtDriver, type LibvirtDriver } from './driver.js'
import type { LeftInstance } from './orphans.js'

/** Boots in software emulation, on a machine that has other things to do. */
t.setTimeout(900_000)
t.jobs = 1

const never = new AbortController().signal
const run = `test${process.pid}`
const name = `gctest-${process.pid}`
const folder = `/var/lib/libvirt/images/${name}`

const daemons = await startDaemons()
t.teardown(() => daemons.close())
const image = await buildImage(await loadRecipe('debian'), {
  cacheFolder: defaultCacheFolder(),
  signal: never,
})
const port = await freePort()
const vm = await defineDebianVm({ name, image, folder, port })
t.teardown(() => vm.remove())
const ssh = await startOpenSsh()
t.teardown(() => ssh.close())

const login: Login = {
  user: 'root',
  key: { kind: 'file', path: image.keyPath },
  algorithms: 'modern',
  hostKey: { kind: 'pinned', fingerprint: image.hostKey },
}
const place = { file: '/lab.yaml', line: 1, column: 1 }
const guest: Guest = {
  id: 'debian',
  place,
  product: 'debian',
  version: '12',
  arch: 'x86_64',
  family: 'linux',
  shell: 'posix',
  login,
  tags: [],
  reboot: null,
  on: [],
}
const host: Host = {
  id: 'kvm-1',
  place,
  product: 'debian-kvm',
  version: '12',
  driver: 'libvirt',
  connect: { endpoint: { host: '127.0.0.1', port: ssh.port, jumps: [] }, login: ssh.login() },
  capacity: { guests: 1, vcpus: 1, memoryBytes: 2 ** 30, locks: [] },
}

function openDriver(): LibvirtDriver {
  const driver = createLibvirtDriver({ host })
  t.teardown(() => driver.close())
  return driver
}

async function requestFor(number: number, clean: CleanState, vmName = name): Promise<GuestRequest> {
  const evidenceFolder = await mkdtemp(join(tmpdir(), 'guestcert-evidence-'))
  t.teardown(() => rm(evidenceFolder, { recursive: true, force: true }))
  return {
    instance: `gc-${run}-e1-${number}`,
    guest,
    placement: {
      host: host.id,
      place,
      vm: vmName,
      endpoint: { host: '127.0.0.1', port, jumps: [] },
      clean,
      viaHost: true,
      configuration: {
        name: 'test',
        vcpus: 1,
        memoryBytes: 256 * 2 ** 20,
        firmware: 'bios',
        disk: 'virtio-blk',
      },
    },
    evidenceFolder,
    limits: defaultLimits,
  }
}

/** Logs in to the guest, inside the host's connection, and closes at the end of the work. */
async function inGuest<T>(running: RunningGuest, work: (machine: Machine) => Promise<T>): Promise<T> {
  const { endpoint, via } = await running.access(never)
  const machine = await connectWithRetries({
    endpoint,
    login,
    label: 'the guest',
    limits: defaultLimits,
    signal: running.gone,
    ...(via === undefined ? {} : { via }),
  })
  try {
    return await work(machine)
  } finally {
    await machine.close()
  }
}

async function said(machine: Machine, command: string): Promise<string> {
  const { exit, stdout, stderr } = await machine.run(command)
  return exit.kind === 'code' && exit.code === 0 ? stdout.text.trim() : `${exit.kind}: ${stderr.text}`
}

/** What this test has made: other runs may use the same host. */
async function ours(driver: LibvirtDriver): Promise<LeftInstance[]> {
  const found = await driver.instances(never)
  return found.filter(instance => instance.run === run).sort((a, b) => a.number - b.number)
}

const bootId = (running: RunningGuest): Promise<string> =>
  inGuest(running, machine => said(machine, 'cat /proc/sys/kernel/random/boot_id'))
const uuid = /^[0-9a-f-]{36}$/

t.test('the host says what it is, and what is missing says so by name', async t => {
  const driver = openDriver()
  const facts = await driver.facts(never)
  t.comment(JSON.stringify(facts))
  t.match(facts, {
    'host product': /Debian/,
    'libvirt version': /^\d+\.\d+/,
    hypervisor: /^QEMU \d/,
    'host cpus': /^\d+$/,
    'host arch': 'x86_64',
    'domain types': /qemu/,
  })
  await t.rejects(driver.prepare(await requestFor(1, { kind: 'none' }, 'no-such-vm'), never), {
    name: 'InfraError',
    message: /gc-test.* on kvm-1: virsh -c qemu:\/\/\/system dumpxml no-such-vm .*status 1: .*no-such-vm/,
    context: { cause: 'host', code: 'command' },
  })
  await t.rejects(driver.prepare(await requestFor(1, { kind: 'snapshot', name: 'nowhere' }), never), {
    message: /the VM gctest-.* has no snapshot "nowhere"/,
    context: { cause: 'host' },
  })
  const missing = { kind: 'overlay', path: `${folder}/missing.qcow2` } as const
  await t.rejects(driver.prepare(await requestFor(1, missing), never), {
    message: /qemu-img info .*missing.qcow2.*No such file/,
    context: { cause: 'host' },
  })
  t.notMatch(await localVirsh('list', '--all'), run, 'what was defined before the failure is gone')
  const wrong = await requestFor(1, { kind: 'none' })
  const configuration = { ...wrong.placement.configuration, vcpus: 4 }
  await t.rejects(driver.prepare({ ...wrong, placement: { ...wrong.placement, configuration } }, never), {
    message: /not as the lab declares it: vcpus is 1, not 4/,
    context: { cause: 'runner' },
  })
  const cancelled = AbortSignal.abort()
  await t.rejects(driver.facts(cancelled), { name: 'InfraError', context: { code: 'cancelled' } })
})

t.test(
  'an overlay: booted, reached through the host, hot-plugged, reverted, reset, stopped, removed',
  async t => {
    const driver = openDriver()
    const request = await requestFor(2, { kind: 'overlay', path: vm.base })
    t.strictSame([...driver.abilities(request.placement)].sort(), [
      'attach-disk',
      'attach-nic',
      'console',
      'nmi',
      'pause',
      'reset',
      'revert',
      'screenshot',
      'snapshot',
      'stop',
    ])
    const prepared = await driver.prepare(request, never)
    t.teardown(() => prepared.remove(never))
    t.match(await localVirsh('domstate', request.instance), 'shut off')
    let at = performance.now()
    const running = await prepared.start(never)
    t.equal(await prepared.start(never), running, 'starting again gives the same guest')
    const first = await bootId(running)
    t.match(first, uuid)
    t.comment(`reached after ${Math.round(performance.now() - at)} ms, ${JSON.stringify(running.facts)}`)
    t.match(running.facts, { accelerator: 'tcg', machine: /^pc-i440fx/, 'vm vcpus': '1', disk: 'virtio' })
    t.match(await ours(driver), [
      { name: request.instance, run, environment: 1, number: 2, vm: null, state: 'running' },
    ])

    await t.test('pause and resume', async t => {
      await running.pause?.(never)
      await running.pause?.(never)
      t.match(await localVirsh('domstate', request.instance), 'paused')
      await running.resume?.(never)
      await running.resume?.(never)
      t.equal(await bootId(running), first)
    })

    await t.test('a disk and a card appear in the running guest, and go', async t => {
      const before = await inGuest(running, machine => said(machine, 'cat /proc/partitions'))
      t.notMatch(before, 'vdb')
      const disk = await running.attachDisk?.(64 * 2 ** 20, never)
      const after = await inGuest(running, machine =>
        said(machine, 'cat /proc/partitions; for d in /sys/block/*/serial; do echo "$d $(cat "$d")"; done'),
      )
      t.match(after, /65536 vdb/)
      t.match(after, new RegExp(`vdb/serial ${disk?.serial}`))
      const nic = await running.attachNic?.(never)
      t.match(
        await inGuest(running, machine => said(machine, 'cat /sys/class/net/*/address')),
        nic?.mac ?? 'no MAC address',
      )
      await running.detachDisk?.(disk?.serial ?? '', never)
      await running.detachNic?.(nic?.mac ?? '', never)
      const last = await inGuest(running, machine =>
        said(machine, 'cat /proc/partitions /sys/class/net/*/address'),
      )
      t.notMatch(last, 'vdb')
      t.notMatch(last, nic?.mac ?? '')
      await t.rejects(stat(`${folder}/${request.instance}.added-1.qcow2`), { code: 'ENOENT' })
    })

    await t.test('snapshot and revert', async t => {
      at = performance.now()
      await running.snapshot?.('clean', never)
      await running.snapshot?.('clean', never)
      t.comment(`two snapshots ${Math.round(performance.now() - at)} ms`)
      await inGuest(running, machine => said(machine, 'touch /root/marker && sync'))
      at = performance.now()
      await running.revert?.('clean', never)
      t.comment(`revert ${Math.round(performance.now() - at)} ms`)
      const after = await inGuest(running, machine =>
        said(machine, 'cat /proc/sys/kernel/random/boot_id; test -e /root/marker && echo marker; true'),
      )
      t.equal(after, first, 'the marker is gone and the boot is the same')
      await t.rejects(async () => await running.revert?.('nowhere', never), { name: 'InfraError' })
      await t.rejects(async () => await running.snapshot?.('a b', never), { name: 'InfraError' })
      t.notOk(running.gone.aborted)
    })

    await t.test('screenshot and NMI', async t => {
      const picture = await running.screenshot?.(never)
      t.match(picture, /^screenshot-1\.(ppm|png)$/)
      t.ok((await stat(join(request.evidenceFolder, picture ?? ''))).size > 1000)
      await running.nmi?.(never)
      t.match(await inGuest(running, machine => said(machine, 'dmesg')), /NMI received/)
    })

    await t.test('reset', async t => {
      await running.reset?.(never)
      const fresh = async (): Promise<string> => {
        for await (const _ of setInterval(500, null, { signal: AbortSignal.timeout(defaultLimits.reboot) })) {
          const found = await bootId(running).catch(() => first)
          if (found !== first) {
            return found
          }
        }
        return first
      }
      const second = await fresh()
      t.match(second, uuid)
      t.not(second, first)
      t.notOk(running.gone.aborted)
    })

    await t.test('stop and remove', async t => {
      await running.stop(never)
      await running.stop(never)
      t.match(await localVirsh('domstate', request.instance), 'shut off')
      t.notOk(running.gone.aborted, 'an end that was asked for is no loss')
      const console = await readFile(join(request.evidenceFolder, 'console.log'), 'utf8')
      t.match(console, /Linux version[\s\S]*Linux version/, 'the console of both boots is evidence')
      t.match(console, /reboot: Power down/, 'the guest shut itself down')
      await prepared.remove(never)
      await prepared.remove(never)
      t.notMatch(await localVirsh('list', '--all'), request.instance)
      const left = (await readdir(folder)).filter(file => file.startsWith('gc-'))
      t.strictSame(left, [])
    })
  },
)

t.test('a snapshot of a VM: what a test did is undone, loss is told, orphans are found', async t => {
  await vm.sealRunning('sealed')
  const driver = openDriver()
  const clean = { kind: 'snapshot', name: 'sealed' } as const
  const request = await requestFor(3, clean)
  const prepared = await driver.prepare(request, never)
  t.teardown(() => prepared.remove(never))
  await t.rejects(driver.prepare(await requestFor(4, clean), never), {
    message: /the VM .* is in use by gc-test/,
    context: { code: 'capacity' },
  })
  const running = await prepared.start(never)
  const sealed = await bootId(running)
  await inGuest(running, machine => said(machine, 'touch /root/marker && sync'))
  await running.snapshot?.('mine', never)
  await running.stop(never)
  t.match(await localVirsh('domstate', name), 'shut off')
  await prepared.remove(never)
  t.notMatch(await localVirsh('snapshot-list', name), 'gc-mine')
  t.strictSame(await ours(driver), [])

  await t.test('the next instance has the boot of the snapshot and no marker', async t => {
    const next = await driver.prepare(await requestFor(5, clean), never)
    t.teardown(() => next.remove(never))
    const again = await next.start(never)
    const after = await inGuest(again, machine =>
      said(machine, 'cat /proc/sys/kernel/random/boot_id; test -e /root/marker && echo marker; true'),
    )
    t.equal(after, sealed)
    await localVirsh('destroy', name)
    await aborted(AbortSignal.any([again.gone, AbortSignal.timeout(30_000)]))
    t.type(again.gone.reason, InfraError)
    t.match(again.gone.reason, {
      message: /the host ended the guest: shut off \(destroyed\)/,
      context: { cause: 'host', code: 'lost' },
    })
    await again.stop(never)
    await next.remove(never)
  })

  await t.test('what a dead runner left is found by another and removed', async t => {
    const dead = createLibvirtDriver({ host })
    await (await dead.prepare(await requestFor(6, clean), never)).start(never)
    await dead.prepare(await requestFor(7, { kind: 'copy', path: vm.base }), never)
    await dead.close()
    t.match(await ours(driver), [
      { number: 6, run, vm: name, state: 'running', note: /process \d+/ },
      { number: 7, run, vm: null, state: 'shut off', note: /made by/ },
    ])
    for (const { name: left } of await ours(driver)) {
      await driver.removeInstance(left, never)
      await driver.removeInstance(left, never)
    }
    t.strictSame(await ours(driver), [])
    t.match(await localVirsh('domstate', name), 'shut off')
    t.match(await localVirsh('snapshot-list', name), 'sealed', 'the snapshot of the VM’s own is left')
    const left = (await readdir(folder)).filter(file => file.startsWith('gc-'))
    t.strictSame(left, [])
  })
})

t.test('a host that is not there is the network’s fault, and says so', async t => {
  const nowhere = { host: '127.0.0.1', port: await freePort(), jumps: [] }
  const driver = createLibvirtDriver({
    host: { ...host, connect: { endpoint: nowhere, login: ssh.login() } },
  })
  t.teardown(() => driver.close())
  await t.rejects(driver.facts(never), { message: /kvm-1.*no connection/, context: { code: 'connect' } })
})
