import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { RunningGuest } from './driver.js'
import { startTwoHosts } from './libvirt/two-hosts.test.fixture.js'
import { requestFor, startHost } from './xl/fake-xl.test.fixture.js'

t.setTimeout(120_000)
const never = new AbortController().signal

/** All that a host's files say of a domain. */
async function filesOf(folder: string, isOf: (name: string) => boolean): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter(isOf).sort()
  const read = names.map(async name => [name, await readFile(join(folder, name), 'utf8')] as const)
  return Object.fromEntries(await Promise.all(read))
}

/** Does whatever the guest's host can do to it, and leaves it paused. */
async function alter(running: RunningGuest): Promise<void> {
  await running.setVcpus?.(1, never)
  await running.setMemory?.(2 ** 27, never)
  await running.attachDisk?.(1024, never)
  await running.attachNic?.(never)
  await running.snapshot?.('mine', never)
  await running.pause?.(never)
}

t.test(
  'libvirt: what a killed runner did to a lent domain is undone from what the host has written down',
  async t => {
    const { driver, openDriver, folder, request } = await startTwoHosts(t)
    const isOf = (name: string): boolean => name.startsWith('vm.')
    await writeFile(join(folder, 'vm.state'), 'running (booted)\n')
    await writeFile(join(folder, 'vm.snapshot.gc-theirs'), '<domainsnapshot/>\n')
    const before = await filesOf(folder, isOf)
    const lent = { ...request, placement: { ...request.placement, clean: { kind: 'none' } as const } }
    await alter(await (await driver.instance(lent).prepare(never)).start(never))
    const altered = await filesOf(folder, isOf)
    t.match(altered['vm.state'], /paused/)
    t.match(altered['vm.xml'], /added-1/)
    t.ok(altered['vm.snapshot.gc-mine'])
    await openDriver().clean(request.instance, never)
    const after = await filesOf(folder, isOf)
    t.match(after['vm.state'], /^running/)
    t.same({ ...after, 'vm.state': '' }, { ...before, 'vm.state': '', 'vm.xml': after['vm.xml'] })
    t.equal(lines(after['vm.xml']), lines(before['vm.xml']), 'its devices are those that it had')
    t.strictSame(await openDriver().leftovers?.(never), [])
  },
)

t.test('libvirt: a lent domain that was found paused is paused again, one that was off is off', async t => {
  const { driver, folder, request } = await startTwoHosts(t)
  for (const state of ['paused (user)', 'shut off (shutdown)']) {
    await writeFile(join(folder, 'vm.state'), `${state}\n`)
    const lent = { ...request, placement: { ...request.placement, clean: { kind: 'none' } as const } }
    const instance = await driver.instance(lent).prepare(never)
    const running = await instance.start(never)
    t.match(await readFile(join(folder, 'vm.state'), 'utf8'), /^running/)
    await running.powerOff?.(never)
    await instance.remove(never)
    t.match(await readFile(join(folder, 'vm.state'), 'utf8'), new RegExp(`^${state.split(' (')[0]}`))
  }
})

t.test('libvirt: what cannot be given back is said, and stays written down', async t => {
  const { driver, openDriver, folder, request, stubborn } = await startTwoHosts(t)
  await writeFile(join(folder, 'vm.state'), 'running (booted)\n')
  const lent = { ...request, placement: { ...request.placement, clean: { kind: 'none' } as const } }
  const instance = await driver.instance(lent).prepare(never)
  await (await instance.start(never)).setMemory?.(2 ** 27, never)
  await stubborn('kvm-1')
  await t.rejects(instance.remove(never), {
    message: /did not come to 262144 KiB of memory/,
    context: { cause: 'guest' },
  })
  t.match(await openDriver().leftovers?.(never), [
    { name: request.instance, what: /the VM vm, running/, shared: true },
  ])
})

t.test('xl: a lent domain that a killed runner left paused, or off, runs again', async t => {
  const { driver, openDriver, folder } = await startHost(t)
  const request = requestFor(folder, { kind: 'none' })
  const state = join(folder, 'domains/debian')
  for (const leave of ['pause', 'powerOff'] as const) {
    await writeFile(state, '-b----')
    const running = await (await driver.instance(request).prepare(never)).start(never)
    await running[leave]?.(never)
    await openDriver().clean(request.instance, never)
    t.equal(await readFile(state, 'utf8'), '-b----', leave)
    t.strictSame(await openDriver().instances(never), [])
  }
})

/** Without the blank lines that devices leave which came and went. */
function lines(xml = ''): string {
  return xml
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)
    .join('\n')
}
