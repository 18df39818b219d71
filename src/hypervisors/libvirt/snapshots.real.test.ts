import t from 'tap'
import { InfraError } from '../../config/errors.js'
import { untilAborted } from '../../remote/index.js'
import { freePort } from '../../remote/openssh.test.fixture.js'
import { localVirsh } from './daemons.test.fixture.js'
import { bootIdCommand, never, startRealHost } from './real-host.test.fixture.js'

/** Boots in software emulation, on a machine that has other things to do. */
t.setTimeout(900_000)

const real = await startRealHost(t)

t.test('a snapshot of a VM: what a test did is undone, loss is told, orphans are found', async t => {
  await real.vm.sealRunning('sealed')
  const driver = real.openDriver()
  const clean = { kind: 'snapshot', name: 'sealed' } as const
  const request = await real.requestFor(3, clean)
  const prepared = await driver.instance(request).prepare(never)
  t.teardown(() => prepared.remove(never))
  await t.rejects(driver.instance(await real.requestFor(4, clean)).prepare(never), {
    message: /the VM .* is in use by gc-test/,
    context: { code: 'capacity' },
  })
  const running = await prepared.start(never)
  const sealed = await real.inGuest(running, bootIdCommand)
  t.equal(await real.inGuest(running, 'touch /root/marker && sync && ls /root/marker'), '/root/marker')
  await running.snapshot?.('mine', never)
  await running.stop(never)
  t.match(await localVirsh('domstate', real.vm.name), 'shut off')
  await prepared.remove(never)
  t.notMatch(await localVirsh('snapshot-list', real.vm.name), 'gc-mine')
  t.strictSame(await real.instances(driver), [])

  await t.test('the next instance has the boot of the snapshot and no marker', async t => {
    const next = await driver.instance(await real.requestFor(5, clean)).prepare(never)
    t.teardown(() => next.remove(never))
    const again = await next.start(never)
    const after = await real.inGuest(
      again,
      'cat /proc/sys/kernel/random/boot_id; test -e /root/marker && echo marker; true',
    )
    t.equal(after, sealed)
    await localVirsh('destroy', real.vm.name)
    await untilAborted(30_000, again.gone)
    t.type(again.gone.reason, InfraError)
    t.match(again.gone.reason, {
      message: /the host ended the guest: shut off \(destroyed\)/,
      context: { cause: 'host', code: 'lost' },
    })
    await again.stop(never)
    await next.remove(never)
  })

  await t.test('what a dead runner left is found by another and removed', async t => {
    const dead = real.openDriver()
    await (await dead.instance(await real.requestFor(6, clean)).prepare(never)).start(never)
    await dead.instance(await real.requestFor(7, { kind: 'copy', path: real.vm.base })).prepare(never)
    await dead.close()
    t.match(await real.instances(driver), [
      { number: 6, run: real.run, vm: real.vm.name, state: 'running', note: /process \d+/ },
      { number: 7, run: real.run, vm: null, state: 'shut off', note: /made by/ },
    ])
    for (const { name: left } of await real.instances(driver)) {
      await driver.clean(left, never)
      await driver.clean(left, never)
    }
    t.strictSame(await real.instances(driver), [])
    t.match(await localVirsh('domstate', real.vm.name), 'shut off')
    t.match(await localVirsh('snapshot-list', real.vm.name), 'sealed', 'the snapshot of the VM’s own is left')
    t.strictSame(await real.instanceFiles(), [])
  })
})

t.test('a host that is not there is the network’s fault, and says so', async t => {
  const { connect } = real.host
  t.ok(connect)
  if (connect !== undefined) {
    const endpoint = { host: '127.0.0.1', port: await freePort(), jumps: [] }
    const driver = real.openDriver({ ...real.host, connect: { ...connect, endpoint } })
    await t.rejects(driver.facts(never), { message: /kvm-1.*no connection/, context: { code: 'connect' } })
  }
})
