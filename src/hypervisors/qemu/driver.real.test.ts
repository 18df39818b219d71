import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { InfraError } from '../../config/errors.js'
import { defaultLimits } from '../../config/limits.js'
import type { Configuration, Guest } from '../../config/model.js'
import { buildImage } from '../../lab/images/build.js'
import { loadRecipe } from '../../lab/images/recipe.js'
import type { GuestRequest, RunningGuest } from '../driver.js'
import { aborted } from '../limit.js'
import { defaultCacheFolder, instancesFolder } from '../shared/cache.js'
import { createQemuDriver } from './driver.js'

/** A boot in software emulation, on a machine that has other things to do. */
const bootLimitMs = 180_000
const sshLimitMs = 60_000
const pausedMs = 3000
t.setTimeout(480_000)

const place = { file: '/lab.yaml', line: 1, column: 1 }
const cacheFolder = defaultCacheFolder()
const never = new AbortController().signal

const configuration: Configuration = { name: 'test', vcpus: 1, memoryBytes: 256 * 2 ** 20, firmware: 'bios' }
const guest: Guest = {
  id: 'debian',
  place,
  product: 'debian',
  version: '12',
  arch: 'x86_64',
  family: 'linux',
  shell: 'posix',
  login: { user: 'root', key: { kind: 'image' }, algorithms: 'modern', hostKey: { kind: 'image' } },
  tags: [],
  reboot: null,
  on: [],
}

async function requestFor(instance: string, wanted: Partial<Configuration> = {}): Promise<GuestRequest> {
  const evidenceFolder = await mkdtemp(join(tmpdir(), 'guestcert-evidence-'))
  t.teardown(() => rm(evidenceFolder, { recursive: true, force: true }))
  return {
    instance: `${instance}-${process.pid}`,
    guest,
    placement: {
      host: 'here',
      place,
      image: 'debian',
      clean: { kind: 'none' },
      viaHost: false,
      configuration: { ...configuration, ...wanted },
    },
    evidenceFolder,
    limits: defaultLimits,
  }
}

/** Runs a command in the guest as a person would, with what `keepHint` says. */
async function inGuest(
  hint: string,
  command: string,
  limitMs: number = sshLimitMs,
): Promise<{ ok: boolean; text: string }> {
  const result = await execa('sh', ['-c', `exec ${hint} "$0"`, command], {
    reject: false,
    timeout: limitMs,
    stdin: 'ignore',
  })
  return { ok: result.exitCode === 0, text: result.stdout.trim() }
}

/** Waits until a file holds some words so many times. */
async function untilSaid(file: string, words: string, times: number, running: RunningGuest): Promise<void> {
  const signal = AbortSignal.any([AbortSignal.timeout(bootLimitMs), running.gone])
  for await (const _ of setInterval(200, null, { signal })) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.split(words).length > times) {
      return
    }
  }
}

t.test('a Debian guest: booted, reached, paused, reverted, rebooted, stopped, removed', async t => {
  const image = await buildImage(await loadRecipe('debian'), { cacheFolder, signal: never })
  const driver = createQemuDriver({ host: { id: 'here' }, cacheFolder })
  t.teardown(() => driver.close())
  const request = await requestFor('life')
  t.same([...driver.abilities(request.placement)].sort(), [
    'attach-disk',
    'attach-nic',
    'console',
    'nmi',
    'pause',
    'reset',
    'revert',
    'snapshot',
    'stop',
  ])
  const prepared = await driver.instance(request).prepare(never)
  t.teardown(() => prepared.remove(never))
  const console = join(request.evidenceFolder, 'console.log')
  const startedAt = performance.now()
  const running = await prepared.start(never)
  t.equal(await prepared.start(never), running, 'starting again gives the same guest')
  await untilSaid(console, image.manifest.bootedMark, 1, running)
  t.comment(`booted after ${Math.round(performance.now() - startedAt)} ms, ${JSON.stringify(running.facts)}`)
  t.match(running.facts, { accelerator: /^(kvm|tcg)$/, machine: /^pc-i440fx/, 'qemu version': /^\d/ })

  const access = await running.access(never)
  t.equal(access.hostKey, image.hostKey)
  t.equal(access.endpoint.host, '127.0.0.1')
  const bootId = await inGuest(prepared.keepHint, 'cat /proc/sys/kernel/random/boot_id')
  t.match(bootId.text, /^[0-9a-f-]{36}$/, 'a command runs, the pinned host key is the one offered')
  const offline = await inGuest(
    prepared.keepHint,
    'systemctl is-system-running; systemctl --failed --plain --no-legend',
  )
  t.match(offline.text, /^(running|starting)$/, 'no unit failed')

  await t.test('pause and resume', async t => {
    await running.pause?.(never)
    await running.pause?.(never)
    t.notOk((await inGuest(prepared.keepHint, 'true', pausedMs)).ok, 'a paused guest answers nothing')
    await running.resume?.(never)
    await running.resume?.(never)
    t.same(await inGuest(prepared.keepHint, 'echo awake'), { ok: true, text: 'awake' })
  })

  await t.test('snapshot and revert', async t => {
    let at = performance.now()
    await running.snapshot?.('clean', never)
    t.comment(`snapshot ${Math.round(performance.now() - at)} ms`)
    at = performance.now()
    await running.snapshot?.('clean', never)
    t.ok((await inGuest(prepared.keepHint, 'touch /root/marker && sync && echo made')).ok)
    await running.revert?.('clean', never)
    t.comment(`snapshot again and revert ${Math.round(performance.now() - at)} ms`)
    const after = await inGuest(prepared.keepHint, 'cat /proc/sys/kernel/random/boot_id; ls /root/marker')
    t.equal(after.text, bootId.text, 'the marker is gone and the boot is the same')
    await t.rejects(async () => await running.revert?.('nowhere', never), { name: 'InfraError' })
    t.ok((await inGuest(prepared.keepHint, 'true')).ok, 'a failed revert leaves the guest running')
    await running.snapshot?.('forgotten', never)
    await running.deleteSnapshot?.('forgotten', never)
    await running.deleteSnapshot?.('forgotten', never)
    await t.rejects(async () => await running.revert?.('forgotten', never), { message: /no snapshot/ })
  })

  await t.test('reboot, asked for in the guest', async t => {
    const at = performance.now()
    await inGuest(prepared.keepHint, 'systemctl reboot')
    await untilSaid(console, image.manifest.bootedMark, 2, running)
    t.comment(`rebooted after ${Math.round(performance.now() - at)} ms`)
    const again = await inGuest(prepared.keepHint, 'cat /proc/sys/kernel/random/boot_id')
    t.match(again.text, /^[0-9a-f-]{36}$/)
    t.not(again.text, bootId.text)
    t.notOk(running.gone.aborted)
  })

  await t.test('reset, and back into the first boot by its snapshot', async t => {
    await running.reset?.(never)
    await untilSaid(join(request.evidenceFolder, 'qemu.log'), 'RESET {"guest":false', 1, running)
    await running.revert?.('clean', never)
    const first = await inGuest(prepared.keepHint, 'cat /proc/sys/kernel/random/boot_id')
    t.equal(first.text, bootId.text)
  })

  await t.test('an NMI arrives; a disk and a card come and go', async t => {
    await running.nmi?.(never)
    t.match((await inGuest(prepared.keepHint, 'dmesg')).text, /NMI received/)
    const disk = await running.attachDisk?.(64 * 2 ** 20, never)
    const nic = await running.attachNic?.(never)
    const shown =
      'cat /proc/partitions /sys/class/net/*/address; for d in /sys/block/*/serial; do echo "$(cat "$d")"; done'
    const after = (await inGuest(prepared.keepHint, shown)).text
    t.match(after, /65536 vdb/)
    t.match(after, disk?.serial ?? 'no serial')
    t.match(after, nic?.mac ?? 'no MAC address')
    await running.detachDisk?.(disk?.serial ?? '', never)
    await running.detachNic?.(nic?.mac ?? '', never)
    const last = (await inGuest(prepared.keepHint, shown)).text
    t.notMatch(last, 'vdb')
    t.notMatch(last, nic?.mac ?? '')
    const folder = join(instancesFolder(cacheFolder), request.instance)
    t.notOk((await readdir(folder)).some(name => name.startsWith('added-')))
    await t.rejects(async () => await running.detachDisk?.('nothing', never), {
      message: /QEMU refused device_del: .*nothing/,
      context: { cause: 'host' },
    })
  })

  await t.test('shut down and started again, powered off and started again', async t => {
    const before = await running.access(never)
    t.ok((await inGuest(prepared.keepHint, 'touch /root/power && sync')).ok)
    await running.shutdown?.(never)
    await running.shutdown?.(never)
    t.ok((await readFile(console, 'utf8')).includes('reboot: Power down'), 'the guest shut itself down')
    await running.powerOn?.(never)
    await running.powerOff?.(never)
    t.notOk(running.gone.aborted, 'an end that was asked for is no loss')
    await running.powerOn?.(never)
    await running.powerOn?.(never)
    t.not((await running.access(never)).endpoint.port, before.endpoint.port, 'its port is a new one')
    await untilSaid(console, image.manifest.bootedMark, 3, running)
    const third = await inGuest(prepared.keepHint, 'ls /root/power && cat /proc/sys/kernel/random/boot_id')
    t.match(third.text, /^\/root\/power\n[0-9a-f-]{36}$/, 'its disk is as it was left')
    t.notMatch(third.text, bootId.text)
  })

  await t.test('stop, and start again with the same disk', async t => {
    t.ok((await inGuest(prepared.keepHint, 'touch /root/marker && sync')).ok)
    const at = performance.now()
    await running.stop(never)
    t.comment(`stopped after ${Math.round(performance.now() - at)} ms`)
    await running.stop(never)
    t.notOk(running.gone.aborted, 'an end that was asked for is no loss')
    t.ok((await readFile(console, 'utf8')).includes('reboot: Power down'), 'the guest shut itself down')
    const again = await prepared.start(never)
    t.not(again, running)
    await untilSaid(console, image.manifest.bootedMark, 4, again)
    t.ok((await inGuest(prepared.keepHint, 'ls /root/marker')).ok)
    await again.snapshot?.('up', never)
    await inGuest(prepared.keepHint, 'echo c >/proc/sysrq-trigger', pausedMs)
    const crash = await new Promise(resolve => again.console?.onCrash(resolve))
    t.match(crash, {
      message: /kernel panic on the console: .*Kernel panic - not syncing: sysrq triggered crash/,
      context: { cause: 'guest', code: 'lost' },
    })
    t.notOk(again.gone.aborted, 'its virtual machine is still there')
    t.ok((await readFile(console, 'utf8')).includes('Kernel panic'), 'the console is evidence')
    await again.revert?.('up', never)
    t.ok((await inGuest(prepared.keepHint, 'true')).ok, 'a panicked guest can be reverted')
    await again.stop(never)
  })

  await t.test('remove', async t => {
    await prepared.remove(never)
    await prepared.remove(never)
    t.notOk((await readdir(instancesFolder(cacheFolder))).includes(request.instance))
  })
})

t.test('a guest that shuts itself down is lost by its own doing', async t => {
  const driver = createQemuDriver({ host: { id: 'here' }, cacheFolder })
  t.teardown(() => driver.close())
  const image = await buildImage(await loadRecipe('debian'), { cacheFolder, signal: never })
  const request = await requestFor('poweroff', { disk: 'virtio-scsi', machine: 'q35' })
  const prepared = await driver.instance(request).prepare(never)
  t.teardown(() => prepared.remove(never))
  const running = await prepared.start(never)
  t.match(running.facts, { machine: /^pc-q35/, disk: 'virtio-scsi' })
  await untilSaid(join(request.evidenceFolder, 'console.log'), image.manifest.bootedMark, 1, running)
  await inGuest(prepared.keepHint, 'systemctl poweroff')
  await aborted(running.gone)
  t.match(running.gone.reason, { message: /shut itself down/, context: { cause: 'guest', code: 'lost' } })
})

t.test('a guest that is lost unexpectedly says so, and whose fault it is', async t => {
  const driver = createQemuDriver({ host: { id: 'here' }, cacheFolder })
  t.teardown(() => driver.close())
  const request = await requestFor('lost')
  const prepared = await driver.instance(request).prepare(never)
  t.teardown(() => prepared.remove(never))
  const running = await prepared.start(never)
  const record = JSON.parse(
    await readFile(join(instancesFolder(cacheFolder), request.instance, 'instance.json'), 'utf8'),
  ) as { qemu: { pid: number } }
  process.kill(record.qemu.pid, 'SIGKILL')
  await aborted(running.gone)
  t.type(running.gone.reason, InfraError)
  t.match(running.gone.reason, {
    message: /QEMU ended unexpectedly: status 137/,
    context: { cause: 'host', code: 'lost' },
  })
  await running.stop(never)
})

t.test(
  'an image that is not there, and hardware that it has no driver for, are said before anything starts',
  async t => {
    await buildImage(await loadRecipe('debian'), { cacheFolder, signal: never })
    const driver = createQemuDriver({ host: { id: 'here' }, cacheFolder })
    const request = await requestFor('refused', { nic: 'rtl8139' })
    await t.rejects(driver.instance(request).prepare(never), {
      message: /no driver for nic rtl8139, but for virtio-net/,
    })
    const other = { ...request, placement: { ...request.placement, image: 'nowhere', configuration } }
    await t.rejects(driver.instance(other).prepare(never), {
      message: /is not built: guestcert lab build nowhere/,
    })
    t.notOk((await readdir(instancesFolder(cacheFolder))).includes(request.instance))
  },
)
