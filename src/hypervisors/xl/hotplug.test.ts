import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { instance, signal, startGuest, startHost } from './fake-xl.test.fixture.js'

t.test('disks are added under the next free name, and taken away with their files', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  t.same(await running.attachDisk?.(1000, signal), { serial: 'xvdb', device: 'xvdb' })
  t.same(await running.attachDisk?.(1024, signal), { serial: 'xvdc', device: 'xvdc' })
  const file = (number: number): string => join(host.folder, `${instance}.added-${number}.img`)
  t.equal((await stat(file(1))).size, 1024, 'whole sectors')
  t.same((await host.calls()).slice(1), [
    `block-attach ${instance} format=raw,vdev=xvdb,access=rw,target=${file(1)}`,
    `block-attach ${instance} format=raw,vdev=xvdc,access=rw,target=${file(2)}`,
  ])
  await running.detachDisk?.('xvdb', signal)
  await t.rejects(stat(file(1)), { code: 'ENOENT' })
  t.equal(await readFile(join(host.folder, 'vbds'), 'utf8'), '51712\n51744\n')
  await t.rejects(async () => running.detachDisk?.('xvda', signal), /"xvda" is not a disk that was added/)
})

t.test('an added disk goes when the guest is created anew', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  const added = async (): Promise<string[]> =>
    (await readdir(host.folder)).filter(name => name.includes('.added-'))
  await running.attachDisk?.(1024, signal)
  await running.powerOff?.(signal)
  t.equal((await added()).length, 1)
  await running.powerOn?.(signal)
  t.same(await added(), [])
  t.same(await running.attachDisk?.(1024, signal), { serial: 'xvdb', device: 'xvdb' })
  await running.reset?.(signal)
  t.same(await added(), [])
  await t.rejects(async () => running.detachDisk?.('xvdb', signal), /is not a disk that was added/)
})

t.test('a disk that cannot be added leaves no file', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await host.break('no-block-attach')
  await t.rejects(async () => running.attachDisk?.(1024, signal), {
    message: /block-attach: no/,
    context: { cause: 'host' },
  })
  t.notOk((await readdir(host.folder)).some(name => name.includes('added')))
})

t.test('a card is like the first one but for its address and its name on the host', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  const { mac } = (await running.attachNic?.(signal)) ?? { mac: '' }
  t.match(mac, /^00:16:3e:/)
  await running.detachNic?.(mac.toUpperCase(), signal)
  await running.detachNic?.(mac, signal)
  t.same((await host.calls()).slice(1), [
    `network-attach ${instance} mac=${mac} bridge=xenbr0`,
    `network-detach ${instance} ${mac}`,
  ])
  await t.rejects(
    async () => running.detachNic?.('00:16:3e:00:00:10', signal),
    /is not a card that was added/,
  )
})

t.test('a guest that does not let go is at fault', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await running.attachDisk?.(1024, signal)
  const nic = await running.attachNic?.(signal)
  await host.break('deaf')
  const late = { message: /did not let go of .* within host unplug/, context: { cause: 'guest' } }
  await t.rejects(async () => running.detachDisk?.('xvdb', signal), late)
  await t.rejects(async () => running.detachNic?.(nic?.mac ?? '', signal), late)
  await t.rejects(
    async () => running.setVcpus?.(1, signal),
    /let go of all but 1 vCPUs within .*: it is idle and has 2 vCPUs/,
  )
  await t.rejects(async () => running.setMemory?.(2 ** 27, signal), /come to 128 MiB of memory/)
})

t.test('vCPUs and memory are given within what the domain was created with', async t => {
  const host = await startHost(t)
  const running = await startGuest(host)
  await running.setVcpus?.(1, signal)
  await running.setVcpus?.(2, signal)
  await running.setMemory?.(200 * 2 ** 20, signal)
  t.same((await host.calls()).slice(1), [
    `vcpu-set -i ${instance} 1`,
    `vcpu-set -i ${instance} 2`,
    `mem-set ${instance} 200m`,
  ])
  for (const count of [0, 3, 1.5]) {
    await t.rejects(async () => running.setVcpus?.(count, signal), /from 1 to 2/)
  }
  await t.rejects(async () => running.setMemory?.(2 ** 30, signal), /from 1 MiB to 256 MiB/)
  await t.rejects(async () => running.setMemory?.(Number.NaN, signal), /from 1 MiB to 256 MiB/)
})
