import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import {
  instance,
  lost,
  requestFor,
  severalLooksMs,
  signal,
  startGuest,
  startHost,
} from './fake-xl.test.fixture.js'

t.test('a guest that is off on purpose is not lost, and is created anew', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  for (const turnOff of [running.shutdown, running.powerOff]) {
    await turnOff?.(signal)
    t.same(await readdir(join(host.folder, 'domains')), [])
    await wait(severalLooksMs)
    t.notOk(running.gone.aborted)
    await running.powerOn?.(signal)
    await running.powerOn?.(signal)
    t.same(await readdir(join(host.folder, 'domains')), [instance])
    await wait(severalLooksMs)
    t.notOk(running.gone.aborted)
  }
  const file = `create ${join(host.folder, '.guestcert', `${instance}.cfg`)}`
  t.same(await host.calls(), [file, `shutdown ${instance}`, file, `destroy ${instance}`, file])
  // On again, it may be lost.
  await rm(join(host.folder, 'domains', instance))
  t.match(await lost(running), { message: /the domain is gone/ })
})

t.test('a guest that does not shut down in time is at fault, and still runs', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await host.break('deaf')
  await t.rejects(async () => running.shutdown?.(signal), {
    message: /did not shut down within host shutdown \(100 ms\)/,
    context: { cause: 'guest', code: 'limit' },
  })
  t.same(await readdir(join(host.folder, 'domains')), [instance])
})

t.test('a paused guest is shut down, and one that was reset is not paused', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await running.pause?.(signal)
  await running.shutdown?.(signal)
  await running.powerOn?.(signal)
  await running.pause?.(signal)
  await running.reset?.(signal)
  t.match(await host.driver.instances(signal), [{ state: 'idle' }])
  t.match((await host.calls()).slice(-2), [`destroy ${instance}`, /^create /])
})

t.test('a guest that cannot be created anew is an error of the host, and lost', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await host.break('no-create')
  await t.rejects(async () => running.reset?.(signal), {
    message: /xl create: no/,
    context: { cause: 'host' },
  })
  t.match(await lost(running), { message: /the domain is gone/ })
})

t.test('a VM that ran before the run runs after it', async t => {
  const host = await startHost(t)
  const first = await host.driver.instance(requestFor(host.folder, { kind: 'none' })).prepare(signal)
  await first.start(signal)
  const prepared = await host.driver.instance(requestFor(host.folder, { kind: 'none' })).prepare(signal)
  const running = await prepared.start(signal)
  await running.powerOff?.(signal)
  t.same(await readdir(join(host.folder, 'domains')), [])
  await running.stop(signal)
  await prepared.remove(signal)
  t.same(await readdir(join(host.folder, 'domains')), ['debian'])
  await first.remove(signal)
  t.same(await readdir(join(host.folder, 'domains')), [])
})
