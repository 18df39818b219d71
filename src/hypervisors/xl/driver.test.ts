import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Host } from '../../config/model.js'
import type { GuestRequest } from '../driver.js'
import { instance, lost, place, requestFor, signal, startGuest, startHost } from './fake-xl.test.fixture.js'
import { xlModule } from './module.js'

t.test('an instance is a domain of its own, and leaves nothing', async t => {
  const { driver, folder } = await startHost(t)
  const prepared = await driver.instance(requestFor(folder)).prepare(signal)
  const running = await prepared.start(signal)
  t.same(await readdir(join(folder, 'domains')), [instance])
  t.equal(await readFile(join(folder, 'clean.raw'), 'utf8'), 'clean\n', 'the clean disk is not written to')
  t.match(running.facts, { hypervisor: 'Xen 4.17.7', 'vm mode': 'pv', domain: instance })
  t.match(await running.access(signal), { endpoint: { host: '192.0.2.16' }, via: { label: 'here' } })
  await running.pause?.(signal)
  t.match(await driver.instances(signal), [{ name: instance, state: 'paused' }])
  await running.resume?.(signal)
  t.match(await driver.instances(signal), [{ state: 'idle' }])
  await running.stop(signal)
  await prepared.remove(signal)
  t.same(await driver.instances(signal), [])
  t.same(await readdir(join(folder, 'domains')), [])
  t.same(
    (await readdir(folder)).filter(name => name.startsWith('gc-')),
    [],
  )
})

t.test('a guest that does not shut down is ended by force', async t => {
  const { driver, folder } = await startHost(t)
  await writeFile(join(folder, 'deaf'), '')
  const prepared = await driver.instance(requestFor(folder)).prepare(signal)
  await (await prepared.start(signal)).stop(signal)
  t.same(await readdir(join(folder, 'domains')), [])
  await prepared.remove(signal)
})

t.test('what a dead runner left is found and removed, and nothing else', async t => {
  const { driver, folder } = await startHost(t)
  await writeFile(join(folder, 'domains/other'), '-b----')
  const prepared = await driver.instance(requestFor(folder)).prepare(signal)
  await prepared.start(signal)
  t.match(await driver.instances(signal), [{ name: instance, run: '20260101-000000-abcd' }])
  await driver.clean('other', signal)
  await driver.clean(instance, signal)
  t.same(await readdir(join(folder, 'domains')), ['other'])
  t.same(await driver.instances(signal), [])
})

t.test('a VM that serves itself is found when its runner is dead, and ends unless it ran before', async t => {
  const { driver, folder } = await startHost(t)
  const start = async (): Promise<void> => {
    await (await driver.instance(requestFor(folder, { kind: 'none' })).prepare(signal)).start(signal)
  }
  await start()
  t.match(await driver.leftovers?.(signal), [{ name: instance, what: /^the VM debian, /, shared: true }])
  await driver.clean(instance, signal)
  t.same(await readdir(join(folder, 'domains')), [])
  await writeFile(join(folder, 'domains/debian'), '-b----')
  await start()
  await driver.clean(instance, signal)
  t.same(await readdir(join(folder, 'domains')), ['debian'])
  t.same(await driver.instances(signal), [])
  t.same(await readdir(join(folder, '.guestcert')), [])
})

t.test('what is kept is told from what was forgotten, and goes when it is asked for', async t => {
  const { driver, folder } = await startHost(t)
  const prepared = await driver.instance(requestFor(folder)).prepare(signal)
  await prepared.start(signal)
  t.match(await driver.leftovers?.(signal), [{ name: instance, kept: false, shared: false }])
  await prepared.keep?.(signal)
  t.match(await driver.leftovers?.(signal), [{ name: instance, kept: true, shared: false }])
  await driver.clean(instance, signal)
  t.same(await driver.instances(signal), [])
})

t.test('a crash is the guest’s', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await writeFile(join(host.folder, 'domains', instance), '----c-')
  t.match(await lost(running), { message: /crashed/, context: { cause: 'guest' } })
})

t.test('a guest that goes away unexpectedly is lost', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await rm(join(host.folder, 'domains', instance))
  t.match(await lost(running), { message: /the domain is gone/, context: { cause: 'unknown' } })
})

t.test('what cannot be made, or is not as declared, is refused before anything is there', async t => {
  const { driver, folder } = await startHost(t)
  const path = `${folder}/clean.raw`
  const refused = async (request: GuestRequest, message: RegExp): Promise<void> => {
    const made = driver.instance(request)
    await t.rejects(made.prepare(signal), message)
    await made.remove(signal)
  }
  await refused(requestFor(folder, { kind: 'overlay', path }), /knows "copy" and "none"/)
  await refused(
    requestFor(folder, { kind: 'copy', path }, { mode: 'hvm' }),
    /not as the lab declares it: mode is pv, not hvm/,
  )
  await refused(requestFor(folder, { kind: 'copy', path: `${folder}/no.raw` }), /no\.raw/)
  t.same(await driver.instances(signal), [])
  await mkdir(join(folder, '.guestcert'), { recursive: true })
  t.same(await readdir(join(folder, '.guestcert')), [])
})

t.test('what must be well before a pass is looked at, and what is missing is said', async t => {
  const { driver, folder } = await startHost(t)
  const { guest, placement } = requestFor(folder, { kind: 'copy', path: `${folder}/clean.raw` })
  const gone = requestFor(folder, { kind: 'copy', path: `${folder}/gone.raw` }).placement
  const capacity = { guests: 2, vcpus: 2, memoryBytes: Number.POSITIVE_INFINITY, locks: [] }
  const host = { id: 'xen-1', product: 'xen', version: '4.16', driver: xlModule, capacity, place } as Host
  const checks =
    driver.checks?.({
      host,
      guests: [
        { guest, placement },
        { guest, placement: gone },
      ],
      freeBytes: 1,
    }) ?? []
  const seen = await Promise.all(
    checks.map(async ({ name, carryOut }) => `${name}: ${(await carryOut(signal)).state}`),
  )
  t.same(seen, ['xen: ok', 'version: missing', 'vcpus: missing', 'clean state: ok', 'clean state: missing'])
})
