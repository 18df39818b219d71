import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { untilAborted } from '../../remote/index.js'
import { migrationUri } from './move.js'
import { never, startTwoHosts } from './two-hosts.test.fixture.js'

t.test('a guest goes to its second host and back; all that is done with it is done where it is', async t => {
  const { driver, request, stateOn, log, files } = await startTwoHosts(t)
  t.ok(driver.abilities(request.placement).has('migrate'))
  const prepared = await driver.instance(request).prepare(never)
  const running = await prepared.start(never)
  t.equal((await running.access(never)).via?.label, 'kvm-1')
  t.strictSame(await running.migrate?.(never), { host: 'kvm-2' })
  t.match(
    await log('kvm-1'),
    /^migrate --live --persistent --undefinesource gc-run-e1-1 qemu\+ssh:\/\/root@kvm-2.lab\/system\?no_tty=1$/m,
    'without --unsafe, which libvirt alone may ask for',
  )
  t.strictSame([await stateOn('kvm-1'), await stateOn('kvm-2')], [null, 'running (booted)'])
  t.equal((await running.access(never)).via?.label, 'kvm-2')
  await running.shutdown?.(never)
  t.equal(await stateOn('kvm-2'), 'shut off (shutdown)')
  await running.powerOn?.(never)
  t.equal(await stateOn('kvm-2'), 'running (booted)')
  await prepared.keep?.(never)
  t.strictSame(await running.migrate?.(never), { host: 'kvm-1' })
  t.match(
    await log('kvm-2'),
    /^migrate .* gc-run-e1-1 qemu:\/\/\/system$/m,
    'the first host’s virsh fetches it back',
  )
  t.strictSame([await stateOn('kvm-1'), await stateOn('kvm-2')], ['running (booted)', null])
  await running.migrate?.(never)
  t.notOk(running.gone.aborted)
  await running.stop(never)
  t.equal(await stateOn('kvm-2'), 'shut off (shutdown)')
  await prepared.remove(never)
  t.strictSame([await stateOn('kvm-1'), await stateOn('kvm-2')], [null, null])
  t.strictSame(await files(), [])
})

t.test('refused: both hosts, the command and its words are named, and it stays managed', async t => {
  const { driver, request, stateOn, fault } = await startTwoHosts(t)
  const prepared = await driver.instance(request).prepare(never)
  const running = await prepared.start(never)
  await fault('refused')
  await t.rejects(async () => await running.migrate?.(never), {
    message:
      /^gc-run-e1-1: moving it from kvm-1 to kvm-2 failed, it is on kvm-1: gc-run-e1-1 on kvm-1: virsh .*migrate .*status 1: .*cannot migrate domain with 1 snapshots/,
    context: { cause: 'host', code: 'command' },
  })
  await running.pause?.(never).catch(() => {})
  t.notOk(running.gone.aborted)
  t.strictSame(await running.migrate?.(never), { host: 'kvm-2' }, 'the next try may do')
  await prepared.remove(never)
  t.strictSame([await stateOn('kvm-1'), await stateOn('kvm-2')], [null, null])
})

t.test('a guest that dies on the way is lost, by its host’s fault', async t => {
  const { driver, request, fault, files } = await startTwoHosts(t)
  const prepared = await driver.instance(request).prepare(never)
  const running = await prepared.start(never)
  await fault('crashed')
  await t.rejects(async () => await running.migrate?.(never), {
    message: /it is on kvm-1: .*domain is not running/,
  })
  await untilAborted(10_000, running.gone)
  t.match(running.gone.reason, { message: /the guest's emulator died/, context: { cause: 'host' } })
  await prepared.remove(never)
  t.strictSame(await files(), [])
})

t.test('one that has arrived although virsh failed is managed where it is', async t => {
  const { driver, request, fault, stateOn, setState } = await startTwoHosts(t)
  const prepared = await driver.instance(request).prepare(never)
  const running = await prepared.start(never)
  await fault('late')
  await t.rejects(async () => await running.migrate?.(never), {
    message: /moving it from kvm-1 to kvm-2 failed, it is on kvm-2: .*End of file/,
  })
  t.equal((await running.access(never)).via?.label, 'kvm-2')
  await setState('kvm-2', 'shut off (destroyed)')
  await untilAborted(10_000, running.gone)
  t.match(running.gone.reason, { message: /the host ended the guest/ }, 'its end is seen there')
  await prepared.remove(never)
  t.equal(await stateOn('kvm-2'), null)
})

t.test('vCPUs and memory: the host waits for the guest, and says when it does not give', async t => {
  const { driver, request, stubborn, log } = await startTwoHosts(t)
  const prepared = await driver.instance(request).prepare(never)
  const running = await prepared.start(never)
  await running.setVcpus?.(1, never)
  await running.setMemory?.(128 * 2 ** 20, never)
  t.match(await log('kvm-1'), /^setvcpus gc-run-e1-1 1 --live$\n[\s\S]*^setmem gc-run-e1-1 131072$/m)
  await stubborn('kvm-1')
  await t.rejects(async () => await running.setVcpus?.(2, never), {
    message:
      /gc-run-e1-1 on kvm-1: the guest did not come to 2 vCPUs within host unplug \(300 ms\): it is running \(booted\) and has 1 vCPUs/,
    context: { cause: 'guest', code: 'limit', limit: 'host unplug' },
  })
  await t.rejects(async () => await running.shutdown?.(never), {
    message: /did not shut down within host shutdown \(300 ms\): it is running/,
    context: { cause: 'guest' },
  })
  await prepared.remove(never)
})

/** Waits until a host's virsh was asked three times more. */
async function severalLooks(log: () => Promise<string>): Promise<void> {
  const lines = async (): Promise<number> => (await log()).split('\n').length
  const before = await lines()
  while ((await lines()) < before + 3) {
    await wait(50)
  }
}

t.test('off on purpose it is not lost; an end that nobody asked for still is', async t => {
  const { driver, request, stateOn, setState, log } = await startTwoHosts(t)
  const prepared = await driver.instance(request).prepare(never)
  const running = await prepared.start(never)
  await running.powerOff?.(never)
  await severalLooks(() => log('kvm-1'))
  t.equal(await stateOn('kvm-1'), 'shut off (destroyed)')
  t.notOk(running.gone.aborted)
  await running.powerOn?.(never)
  await setState('kvm-1', 'shut off (shutdown)')
  await untilAborted(10_000, running.gone)
  t.match(running.gone.reason, { message: /the guest shut itself down/, context: { cause: 'guest' } })
  await prepared.remove(never)
})

t.test('what is kept is told from what was forgotten, and goes when it is asked for', async t => {
  const { driver, request, files } = await startTwoHosts(t)
  const prepared = await driver.instance(request).prepare(never)
  await prepared.start(never)
  t.match(await driver.leftovers?.(never), [{ name: 'gc-run-e1-1', kept: false, shared: false }])
  await prepared.keep?.(never)
  t.match(await driver.leftovers?.(never), [{ name: 'gc-run-e1-1', kept: true, shared: false }])
  await driver.clean('gc-run-e1-1', never)
  t.strictSame([await driver.leftovers?.(never), await files()], [[], []])
  const own = { ...request, placement: { ...request.placement, clean: { kind: 'none' } as const } }
  const vm = await driver.instance(own).prepare(never)
  t.notOk(driver.abilities(own.placement).has('migrate'))
  await vm.keep?.(never)
  t.match(await driver.leftovers?.(never), [{ what: /the VM vm/, kept: true, shared: true }])
  await driver.clean('gc-run-e1-1', never)
  t.strictSame(await driver.leftovers?.(never), [])
})

t.test('where another host’s libvirt is found', async t => {
  const login = { user: 'lab', algorithms: 'modern', hostKey: { kind: 'accept-new' } } as const
  const at = (host: string, port: number): string =>
    migrationUri({ id: 'kvm-2', connect: { endpoint: { host, port, jumps: [] }, login } })
  t.equal(at('kvm-2.lab', 22), 'qemu+ssh://lab@kvm-2.lab/system?no_tty=1')
  t.equal(at('fd00::2', 2222), 'qemu+ssh://lab@[fd00::2]:2222/system?no_tty=1')
  t.throws(() => migrationUri({ id: 'kvm-2' }), {
    message: /host kvm-2: it cannot be moved to without "connect"/,
  })
})
