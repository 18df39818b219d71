import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import {
  type FakeHost,
  instance,
  severalLooksMs,
  signal,
  startGuest,
  startHost,
} from './fake-xl.test.fixture.js'

async function filesOf({ folder }: FakeHost): Promise<string[]> {
  const files = (await readdir(folder)).filter(file => file.startsWith('gc-'))
  return files.map(file => file.slice(instance.length)).sort()
}

function disk({ folder }: FakeHost): string {
  return join(folder, `${instance}.xvda.img`)
}

t.test('a snapshot is memory and disks of one moment, and the guest goes back to it', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await running.snapshot?.('clean', signal)
  t.same(await filesOf(host), ['.snapshot-clean.save', '.snapshot-clean.xvda.img', '.xvda.img'])
  const memory = join(host.folder, `${instance}.snapshot-clean.save`)
  t.equal((await stat(memory)).mode & 0o077, 0, 'what was in its memory is nobody else’s')
  t.same((await host.calls()).slice(1), [`save ${instance} ${memory}`, `restore ${memory}`])
  const before = await readFile(disk(host), 'utf8')
  await writeFile(disk(host), 'altered')
  await running.revert?.('clean', signal)
  t.equal(await readFile(disk(host), 'utf8'), before)
  t.same((await host.calls()).slice(3), [`destroy ${instance}`, `restore ${memory}`])
  await running.powerOff?.(signal)
  await running.revert?.('clean', signal)
  await wait(severalLooksMs)
  t.notOk(running.gone.aborted)
  t.same(await readdir(join(host.folder, 'domains')), [instance])
  await running.deleteSnapshot?.('clean', signal)
  await running.deleteSnapshot?.('clean', signal)
  t.same(await filesOf(host), ['.xvda.img'])
  await t.rejects(async () => running.revert?.('clean', signal), {
    message: /there is no snapshot "clean": there are none/,
    context: { cause: 'runner' },
  })
})

t.test('it takes the place of one of its name; a name that is none is refused', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await running.snapshot?.('a', signal)
  await writeFile(disk(host), 'second')
  await running.snapshot?.('a', signal)
  await writeFile(disk(host), 'third')
  await running.revert?.('a', signal)
  t.equal(await readFile(disk(host), 'utf8'), 'second')
  await t.rejects(async () => running.snapshot?.('../a', signal), { message: /is not a valid snapshot name/ })
  await running.pause?.(signal)
  await t.rejects(async () => running.snapshot?.('b', signal), { message: /resume it first/ })
  t.equal((await filesOf(host)).length, 3)
})

t.test('a disk that was added belongs to the moments that it was there', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await running.snapshot?.('without', signal)
  await running.attachDisk?.(1024, signal)
  await running.snapshot?.('with', signal)
  await running.detachDisk?.('xvdb', signal)
  t.notOk((await filesOf(host)).includes('.added-1.img'))
  await running.revert?.('with', signal)
  t.ok((await filesOf(host)).includes('.added-1.img'), 'its content is that of the snapshot')
  await running.detachDisk?.('xvdb', signal)
  await running.attachDisk?.(1024, signal)
  await running.revert?.('without', signal)
  t.notOk((await filesOf(host)).some(file => file.startsWith('.added')))
  await t.rejects(async () => running.detachDisk?.('xvdb', signal), /is not a disk that was added/)
})

t.test('a guest that cannot be saved runs on, and nothing is left of the try', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await host.break('no-save')
  await t.rejects(async () => running.snapshot?.('a', signal), {
    message: /save: no/,
    context: { cause: 'host' },
  })
  t.same(await filesOf(host), ['.xvda.img'])
  await t.rejects(async () => running.revert?.('a', signal), /there is no snapshot/)
  await wait(severalLooksMs)
  t.notOk(running.gone.aborted)
})

t.test('a guest whose disk cannot be copied is restored all the same', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  const cp = join(host.folder, 'bin/cp')
  await writeFile(cp, '#!/bin/sh\necho "No space left on device" >&2\nexit 1\n', { mode: 0o755 })
  await t.rejects(async () => running.snapshot?.('a', signal), /No space left on device/)
  t.same(await readdir(join(host.folder, 'domains')), [instance])
  t.same(await filesOf(host), ['.xvda.img'])
})

t.test('what a dead runner left of snapshots and added disks is removed', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await running.attachDisk?.(1024, signal)
  await running.snapshot?.('a', signal)
  // The neighbour's name begins as this one's does.
  await writeFile(join(host.folder, `${instance}0.xvda.img`), '')
  t.equal((await filesOf(host)).length, 6)
  await host.driver.clean(instance, signal)
  t.same(await filesOf(host), ['0.xvda.img'])
  t.same(await host.driver.instances(signal), [])
})
