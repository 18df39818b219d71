import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { localVirsh } from './daemons.test.fixture.js'
import { bootIdCommand, never, startRealHost, uuidPattern } from './real-host.test.fixture.js'

/** Boots in software emulation, on a machine that has other things to do. */
t.setTimeout(900_000)

const real = await startRealHost(t, { vcpus: 2 })

t.test('memory and power of a guest that runs, and what of it is kept', async t => {
  const driver = real.openDriver()
  const request = await real.requestFor(1, { kind: 'overlay', path: real.vm.base })
  const prepared = await driver.instance(request).prepare(never)
  t.teardown(() => prepared.remove(never))
  const running = await prepared.start(never)
  const first = await real.inGuest(running, bootIdCommand)
  t.match(first, uuidPattern)

  t.equal(running.setVcpus, undefined, 'in software emulation QEMU does not let go of vCPUs')

  await t.test('the guest gives memory back, and has it again', async t => {
    const total = async (): Promise<number> =>
      Number((await real.inGuest(running, 'grep MemTotal /proc/meminfo')).replace(/\D/g, ''))
    const before = await total()
    await running.setMemory?.(192 * 2 ** 20, never)
    const less = before - (await total())
    t.ok(less > 60 * 1024 && less < 68 * 1024, `64 MiB less: ${less} KiB`)
    await running.setMemory?.(256 * 2 ** 20, never)
    t.equal(await total(), before)
    await t.rejects(async () => await running.setMemory?.(2 ** 30, never), {
      message: /virsh .* setmem/,
      context: { cause: 'host' },
    })
  })

  await t.test('shut down, started again: another boot, the disk as it was left, no loss', async t => {
    t.equal(await real.inGuest(running, 'touch /root/marker && sync && ls /root/marker'), '/root/marker')
    await running.shutdown?.(never)
    await running.shutdown?.(never)
    t.match(await localVirsh('domstate', request.instance), 'shut off')
    // Longer than it takes to see that it is off.
    await new Promise(resolve => setTimeout(resolve, 3 * 2000))
    t.notOk(running.gone.aborted, 'an end that was asked for is no loss')
    await running.powerOn?.(never)
    await running.powerOn?.(never)
    const second = await real.inGuest(running, `ls /root/marker && ${bootIdCommand}`)
    t.match(second, /^\/root\/marker\n[0-9a-f-]{36}$/)
    t.notMatch(second, first)
    await running.powerOff?.(never)
    await running.powerOff?.(never)
    t.match(await localVirsh('domstate', request.instance), 'shut off')
    await running.console?.look(never)
    t.notOk(running.gone.aborted)
  })

  await t.test('kept, it is not taken for forgotten; removed, nothing is left', async t => {
    await prepared.keep?.(never)
    const kept = async (): Promise<(boolean | undefined)[]> =>
      ((await driver.leftovers?.(never)) ?? [])
        .filter(({ name }) => name === request.instance)
        .map(({ kept: isKept }) => isKept)
    t.strictSame(await kept(), [true])
    await running.stop(never)
    const console = await readFile(join(request.evidenceFolder, 'console.log'), 'utf8')
    t.match(console, /Linux version[\s\S]*Linux version/, 'the console of both boots is evidence')
    await driver.clean(request.instance, never)
    t.strictSame(await kept(), [])
    t.notMatch(await localVirsh('list', '--all'), request.instance)
    t.strictSame(await real.instanceFiles(), [])
  })
})
