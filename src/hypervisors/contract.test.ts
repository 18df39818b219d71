import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Cloud, newMachine } from './cloud.test.fixture.js'
import { cloudDriver } from './cloud-driver.test.fixture.js'
import { cloudRequest, openCloud } from './cloud-subject.test.fixture.js'
import { contract, type Subject } from './contract.test.fixture.js'
import type { GuestRequest, RunningGuest, UnexpectedEvent } from './driver.js'
import { startTwoHosts } from './libvirt/two-hosts.test.fixture.js'
import { startFakeQemu } from './qemu/fake-qemu.test.fixture.js'
import {
  startHost as startXenServer,
  requestFor as xenServerRequest,
} from './xenserver/fake-host.test.fixture.js'
import { requestFor, startHost } from './xl/fake-xl.test.fixture.js'

t.setTimeout(240_000)
const never = new AbortController().signal
async function openLibvirt(t: Test): Promise<Subject> {
  const { driver, request, files, setState, restart, counted } = await startTwoHosts(t)
  const { onCommand, refuse } = counted
  const end = (): Promise<void> => setState('kvm-1', 'shut off (destroyed)')
  return {
    driver,
    request,
    left: files,
    onCommand,
    refuse,
    end,
    restart,
  }
}

async function openXl(t: Test): Promise<Subject> {
  const { driver, folder, counted } = await startHost(t)
  const request = requestFor(folder)
  const domain = join(folder, 'domains', request.instance)
  const { onCommand, refuse } = counted
  const left = async (): Promise<string[]> => {
    const names = [folder, join(folder, 'domains'), join(folder, '.guestcert')].map(one =>
      readdir(one).catch(() => []),
    )
    return (await Promise.all(names)).flat().filter(name => name.startsWith('gc-'))
  }
  // At once: a watch may read it meanwhile.
  const restart = async (): Promise<void> => {
    await writeFile(join(folder, 'id.new'), '77')
    await rename(join(folder, 'id.new'), join(folder, 'id'))
  }
  return { driver, request, left, onCommand, refuse, end: () => rm(domain), restart }
}

async function openXenServer(t: Test): Promise<Subject> {
  const { pool, driver, folder, counted } = await startXenServer(t)
  const request = xenServerRequest(folder)
  const { onCommand, refuse } = counted
  return {
    driver,
    request,
    left: async () => pool.left(),
    onCommand,
    refuse,
    end: async () => pool.halt(pool.named(request.instance)),
    restart: async () => pool.newDomain(pool.named(request.instance)),
  }
}

contract(t, 'cloud', openCloud)
contract(t, 'xenserver', openXenServer)
contract(t, 'libvirt', openLibvirt)
contract(t, 'xl', openXl)
contract(t, 'qemu', startFakeQemu)

async function startInCloud(
  t: Test,
): Promise<{ cloud: Cloud; running: RunningGuest; request: GuestRequest }> {
  const { cloud, driver, request } = await openCloud(t)
  const running = await (await driver.instance(request).prepare(never)).start(never)
  return { cloud, running, request }
}

t.test('a task that fails late is the error of what asked for it, and nothing else', async t => {
  const { cloud, running } = await startInCloud(t)
  cloud.failing = 'pause'
  await t.rejects(async () => running.pause?.(never), {
    message: /gc-run-e1-1 in the cloud: task pause failed: insufficient resources/,
    context: { cause: 'host' },
  })
  await running.pause?.(never)
  t.notOk(running.gone.aborted)
})

t.test('a machine that its cluster moves and restarts is followed', async t => {
  const { cloud, running, request } = await startInCloud(t)
  const told: UnexpectedEvent[] = []
  running.onUnexpected?.(what => void told.push(what))
  cloud.alter(request.instance, { host: 'node-2' })
  await running.look?.(never)
  t.strictSame(told, [{ type: 'moved', from: 'node-1', to: 'node-2' }])
  t.match(await running.migrate?.(never), { host: 'node-1' }, 'back from where it is')
  t.notOk(running.gone.aborted)
})

t.test('a question that waits for a person is a loss, in its own words', async t => {
  const { cloud, running, request } = await startInCloud(t)
  cloud.alter(request.instance, { question: 'The disk is full. Retry or cancel?' })
  t.match(running.gone.aborted ? running.gone.reason : await once(running.gone), {
    message: /the host waits for an answer: The disk is full/,
    context: { cause: 'host' },
  })
})

t.test('a lent machine is given back as it was found, whatever was done to it', async t => {
  for (const power of ['on', 'off', 'paused'] as const) {
    const cloud = new Cloud()
    const before = { ...newMachine(), power, vcpus: 4 }
    cloud.machines.set('theirs', structuredClone(before))
    const instance = await cloudDriver(cloud)
      .instance(await cloudRequest(t, { kind: 'none' }))
      .prepare(never)
    const running = await instance.start(never)
    await running.attachDisk?.(1, never)
    await running.attachNic?.(never)
    await running.setVcpus?.(1, never)
    await running.setMemory?.(1, never)
    await running.snapshot?.('mine', never)
    await (power === 'on' ? running.powerOff?.(never) : running.pause?.(never))
    await instance.remove(never)
    const { boots: _, ...now } = cloud.machines.get('theirs') ?? newMachine()
    const { boots: __, ...then } = before
    t.strictSame(now, then, power)
  }
})

function once(signal: AbortSignal): Promise<unknown> {
  return new Promise(resolve => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
}
