import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import t from 'tap'
import { defaultLimits } from '../../config/limits.js'
import { localVirsh } from './daemons.test.fixture.js'
import { bootIdCommand, never, startRealHost, uuidPattern } from './real-host.test.fixture.js'

/** Boots in software emulation, on a machine that has other things to do. */
t.setTimeout(900_000)

const real = await startRealHost(t)

t.test('the host says what it is, and what is missing says so by name', async t => {
  const driver = real.openDriver()
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
  await t.rejects(driver.instance(await real.requestFor(1, { kind: 'none' }, 'no-such-vm')).prepare(never), {
    name: 'InfraError',
    message: /gc-test.* on kvm-1: virsh -c qemu:\/\/\/system dumpxml no-such-vm .*status 1: .*no-such-vm/,
    context: { cause: 'host', code: 'command' },
  })
  await t.rejects(
    driver.instance(await real.requestFor(1, { kind: 'snapshot', name: 'nowhere' })).prepare(never),
    {
      message: /the VM gctest-.* has no snapshot "nowhere"/,
      context: { cause: 'host' },
    },
  )
  const missing = { kind: 'overlay', path: `${dirname(real.vm.base)}/missing.qcow2` } as const
  const half = driver.instance(await real.requestFor(1, missing))
  await t.rejects(half.prepare(never), {
    message: /qemu-img info .*missing.qcow2.*No such file/,
    context: { cause: 'host' },
  })
  t.match(await localVirsh('list', '--all'), real.run, 'it is half made')
  await half.remove(never)
  t.notMatch(await localVirsh('list', '--all'), real.run, 'what was defined before the failure is gone')
  const wrong = await real.requestFor(1, { kind: 'none' })
  const configuration = { ...wrong.placement.configuration, vcpus: 4 }
  await t.rejects(
    driver.instance({ ...wrong, placement: { ...wrong.placement, configuration } }).prepare(never),
    {
      message: /not as the lab declares it: vcpus is 1, not 4/,
      context: { cause: 'runner' },
    },
  )
  const cancelled = AbortSignal.abort()
  await t.rejects(driver.facts(cancelled), { name: 'InfraError', context: { code: 'cancelled' } })
})

t.test(
  'an overlay: booted, reached through the host, hot-plugged, reverted, reset, stopped, removed',
  async t => {
    const driver = real.openDriver()
    const request = await real.requestFor(2, { kind: 'overlay', path: real.vm.base })
    t.strictSame([...driver.abilities(request.placement)].sort(), [
      'attach-disk',
      'attach-nic',
      'console',
      'nmi',
      'pause',
      'reset',
      'revert',
      'screenshot',
      'set-memory',
      'snapshot',
      'stop',
    ])
    const prepared = await driver.instance(request).prepare(never)
    t.teardown(() => prepared.remove(never))
    t.match(await localVirsh('domstate', request.instance), 'shut off')
    let at = performance.now()
    const running = await prepared.start(never)
    t.equal(await prepared.start(never), running, 'starting again gives the same guest')
    const first = await real.inGuest(running, bootIdCommand)
    t.match(first, uuidPattern)
    t.comment(`reached after ${Math.round(performance.now() - at)} ms, ${JSON.stringify(running.facts)}`)
    t.match(running.facts, { accelerator: 'tcg', machine: /^pc-i440fx/, 'vm vcpus': '1', disk: 'virtio' })
    t.match(await real.instances(driver), [
      { name: request.instance, run: real.run, environment: 1, number: 2, vm: null, state: 'running' },
    ])

    await t.test('pause and resume', async t => {
      await running.pause?.(never)
      await running.pause?.(never)
      t.match(await localVirsh('domstate', request.instance), 'paused')
      await running.resume?.(never)
      await running.resume?.(never)
      t.equal(await real.inGuest(running, bootIdCommand), first)
    })

    await t.test('a disk and a card appear in the running guest, and go', async t => {
      const before = await real.inGuest(running, 'cat /proc/partitions')
      t.notMatch(before, 'vdb')
      const disk = await running.attachDisk?.(64 * 2 ** 20, never)
      const after = await real.inGuest(
        running,
        'cat /proc/partitions; for d in /sys/block/*/serial; do echo "$d $(cat "$d")"; done',
      )
      t.match(after, /65536 vdb/)
      t.match(after, new RegExp(`vdb/serial ${disk?.serial}`))
      const nic = await running.attachNic?.(never)
      t.match(await real.inGuest(running, 'cat /sys/class/net/*/address'), nic?.mac ?? 'no MAC address')
      await running.detachDisk?.(disk?.serial ?? '', never)
      await running.detachNic?.(nic?.mac ?? '', never)
      const last = await real.inGuest(running, 'cat /proc/partitions /sys/class/net/*/address')
      t.notMatch(last, 'vdb')
      t.notMatch(last, nic?.mac ?? '')
      await t.rejects(stat(`${dirname(real.vm.base)}/${request.instance}.added-1.qcow2`), { code: 'ENOENT' })
    })

    await t.test('snapshot and revert', async t => {
      at = performance.now()
      await running.snapshot?.('clean', never)
      await running.snapshot?.('clean', never)
      t.comment(`two snapshots ${Math.round(performance.now() - at)} ms`)
      t.equal(await real.inGuest(running, 'touch /root/marker && sync && ls /root/marker'), '/root/marker')
      at = performance.now()
      await running.revert?.('clean', never)
      t.comment(`revert ${Math.round(performance.now() - at)} ms`)
      const after = await real.inGuest(
        running,
        'cat /proc/sys/kernel/random/boot_id; test -e /root/marker && echo marker; true',
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
      t.match(await real.inGuest(running, 'dmesg'), /NMI received/)
    })

    await t.test('reset', async t => {
      await running.reset?.(never)
      const fresh = async (): Promise<string> => {
        for await (const _ of setInterval(500, null, { signal: AbortSignal.timeout(defaultLimits.reboot) })) {
          const found = await real.inGuest(running, bootIdCommand).catch(() => first)
          if (found !== first) {
            return found
          }
        }
        return first
      }
      const second = await fresh()
      t.match(second, uuidPattern)
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
      const left = await real.instanceFiles()
      t.strictSame(left, [])
    })
  },
)
