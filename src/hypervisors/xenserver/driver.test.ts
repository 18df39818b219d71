import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Host } from '../../config/model.js'
import { untilAborted } from '../../remote/index.js'
import type { GuestRequest } from '../driver.js'
import { abilitiesOf } from './abilities.js'
import { instance, requestFor, signal, startHost } from './fake-host.test.fixture.js'
import { xenserverModule } from './module.js'

t.test('a VM that goes back to its snapshot is found when its runner is dead, and is left off', async t => {
  const { pool, driver, folder, openDriver } = await startHost(t)
  const request = requestFor(folder, { kind: 'snapshot', name: 'sealed' })
  const prepared = await driver.instance(request).prepare(signal)
  const running = await prepared.start(signal)
  t.match(await driver.facts(signal), { product: 'xenserver', version: '8.2.0' })
  t.match(running.facts, { 'image snapshot': /^sealed \(/, hypervisor: 'XenServer 8.2.0', 'vm mode': 'pv' })
  await running.attachDisk?.(1024, signal)
  await running.snapshot?.('mine', signal)
  t.match(await driver.leftovers?.(signal), [{ name: instance, what: /^the VM .*, running/, shared: true }])
  await openDriver().clean?.(instance, signal)
  t.match(pool.named('rhel9'), { 'power-state': 'halted' })
  t.strictSame(pool.left(), [])
  t.strictSame(await driver.leftovers?.(signal), [])
})

t.test('a lent VM is given back as it was found', async t => {
  for (const state of ['running', 'halted'] as const) {
    const { pool, driver, folder } = await startHost(t)
    const vm = pool.named('rhel9')
    if (state === 'running') pool.run(vm, pool.hostNamed('xs-1'))
    const before = [pool.vdis.length, pool.vbds.length, pool.vifs.length]
    const prepared = await driver.instance(requestFor(folder, { kind: 'none' })).prepare(signal)
    const running = await prepared.start(signal)
    await running.attachDisk?.(1024, signal)
    await running.attachNic?.(signal)
    await running.snapshot?.('mine', signal)
    await running.powerOff?.(signal)
    await prepared.remove(signal)
    t.equal(vm['power-state'], state)
    t.strictSame([pool.vdis.length, pool.vbds.length, pool.vifs.length], before, state)
    t.strictSame(pool.left(), [])
    t.strictSame(await readdir(join(folder, 'home/.guestcert')), [])
  }
})

t.test('a template is installed, a halted VM cloned, and a disk that others have stays', async t => {
  const { pool, driver, folder } = await startHost(t)
  const golden = requestFor(folder, { kind: 'overlay', path: 'golden' }, { vm: 'golden' })
  const made = await driver.instance(golden).prepare(signal)
  t.match(pool.vms.at(-1), { 'name-label': instance, 'is-a-template': 'false' })
  await made.remove(signal)
  const clone = await driver.instance(requestFor(folder, { kind: 'overlay', path: 'rhel9' })).prepare(signal)
  t.strictSame(pool.left(), [instance])
  const disk = pool.diskOf(pool.named('golden')).uuid
  pool.addVbd(pool.named(instance), pool.diskOf(pool.named('golden')))
  await clone.remove(signal)
  t.ok(pool.vdis.some(vdi => vdi.uuid === disk))
  t.strictSame(pool.left(), [])
})

t.test('what cannot be made, or is not as declared, is refused', async t => {
  const { pool, driver, folder } = await startHost(t)
  const refused = async (request: GuestRequest, message: RegExp): Promise<void> => {
    const made = driver.instance(request)
    await t.rejects(made.prepare(signal), message)
    await made.remove(signal)
    t.strictSame(pool.left(), [])
  }
  const snapshot = { kind: 'snapshot', name: 'sealed' } as const
  const hvm = { configuration: { name: 'x', mode: 'hvm' } } as const
  await refused(requestFor(folder, snapshot, hvm), /not as the lab declares it: mode is pv, not hvm/)
  await refused(requestFor(folder, snapshot, { vm: 'nobody' }), /there is no VM or template "nobody"/)
  await refused(requestFor(folder, { kind: 'snapshot', name: 'no' }), /has no snapshot "no"/)
  await refused(requestFor(folder, { kind: 'none' }, { vm: 'golden' }), /"golden" is a template/)
  pool.addVm('rhel9')
  await refused(requestFor(folder, snapshot), /has 2 VMs named "rhel9": name its UUID/)
})

t.test('a VM that another instance uses is not ours', async t => {
  const { pool, driver, folder } = await startHost(t)
  const request = requestFor(folder, { kind: 'snapshot', name: 'sealed' })
  await (await driver.instance(request).prepare(signal)).start(signal)
  const other = driver.instance({ ...request, instance: `${instance.slice(0, -1)}2` })
  await t.rejects(other.prepare(signal), /is in use by/)
  await other.remove(signal)
  t.match(pool.named('rhel9'), { 'power-state': 'running' })
})

t.test('a guest that does not shut down is at fault, and one whose host is gone is lost', async t => {
  const { pool, driver, folder } = await startHost(t)
  const running = await (await driver.instance(requestFor(folder)).prepare(signal)).start(signal)
  pool.isDeaf = true
  await t.rejects(async () => running.shutdown?.(signal), {
    message: /the guest did not shut down: VM didn't acknowledge the need to shutdown/,
    context: { cause: 'guest' },
  })
  const disk = await running.attachDisk?.(1, signal)
  await t.rejects(async () => running.detachDisk?.(disk?.serial ?? '', signal), {
    message: /the guest did not let go of the disk .*rejected the attempt to detach/s,
    context: { cause: 'guest' },
  })
  pool.halt(pool.named(instance))
  await untilAborted(10_000, running.gone)
  t.match(running.gone.reason, { message: /does not say why: halted/ })
})

t.test('what a guest is kept for is told from what was forgotten', async t => {
  const { driver, folder } = await startHost(t)
  const prepared = await driver.instance(requestFor(folder)).prepare(signal)
  await prepared.start(signal)
  await prepared.keep?.(signal)
  t.match(await driver.leftovers?.(signal), [{ name: instance, kept: true, shared: false }])
  t.match(prepared.keepHint, /^ssh -p 22 'root@xs-1' 'xe vm-param-get uuid=/)
  await driver.clean?.(instance, signal)
  t.strictSame(await driver.leftovers?.(signal), [])
})

t.test('what must be well before a pass is looked at', async t => {
  const { driver, folder } = await startHost(t)
  const good = requestFor(folder)
  const bad = requestFor(folder, { kind: 'overlay', path: 'gone' })
  const host = {
    id: 'xs-1',
    product: 'xcp-ng',
    version: '8.2',
    driver: xenserverModule,
    capacity: { guests: 2, vcpus: 8, memoryBytes: 2 ** 40, locks: [] },
  } as unknown as Host
  const checks = driver.checks?.({ host, guests: [good, bad], freeBytes: 2 ** 30 }) ?? []
  const seen: string[] = []
  for (const { name, carryOut } of checks) {
    const { state } = await carryOut(signal).catch((error: Error) => ({ state: error.message }))
    seen.push(`${name}: ${state}`)
  }
  t.match(seen, [
    'xe: ok',
    'version: missing',
    'vcpus: ok',
    'memory: missing',
    'storage: ok',
    'clean state: ok',
    /clean state: .*has no snapshot "gone"/,
  ])
})

t.test('only what product, version and guest can do is offered', t => {
  const offered = (product: string, version: string, configuration: object, migratesTo?: string): string =>
    [
      ...abilitiesOf(
        {
          configuration: { name: 'x', ...configuration },
          ...(migratesTo === undefined ? {} : { migratesTo }),
        },
        { product, version },
      ),
    ]
      .sort()
      .join(' ')
  t.equal(offered('xenserver', '8', { mode: 'hvm' }), 'nmi pause reset', 'a guest without tools is not heard')
  const tools = { mode: 'hvm', tools: '9.3' }
  t.equal(offered('xenserver', '5.5', tools), 'attach-disk attach-nic pause reset stop')
  t.equal(
    offered('xcp-ng', '8.3', tools, 'xs-2'),
    'attach-disk attach-nic migrate nmi pause reset revert set-memory snapshot stop',
  )
  t.match(offered('xenserver', '6.5', { mode: 'pv' }), /set-vcpus/)
  const written = (more: object) => ({ configuration: {}, emulated: false, folder: '/', ...more })
  t.match(xenserverModule.placementMistakes(written({ clean: { copy: 'x' } })), [/needs "vm"/, /cannot copy/])
  t.strictSame(xenserverModule.placementMistakes(written({ vm: 'a', clean: { overlay: 'b' } })), [])
  t.end()
})
