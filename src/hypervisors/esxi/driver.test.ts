import t from 'tap'
import type { Host } from '../../config/model.js'
import { untilAborted } from '../../remote/index.js'
import type { GuestRequest } from '../driver.js'
import { abilitiesOf } from './abilities.js'
import { cleanDisk, idOf, instance, never, startEsxi } from './emulated-host.test.fixture.js'
import { esxiModule } from './module.js'

t.setTimeout(240_000)
const lossMs = 20_000

t.test('a VM that goes back to its snapshot is found when its runner is dead, and is left off', async t => {
  const esxi = await startEsxi(t)
  const { driver, run } = esxi
  const prepared = await driver.instance(esxi.request({ kind: 'snapshot', name: 'sealed' })).prepare(never)
  const running = await prepared.start(never)
  t.match(await driver.facts(never), {
    product: 'esxi',
    version: '8.0.3',
    'host machine': 'IBM System x3650 M4',
  })
  t.match(running.facts, { 'image snapshot': /^sealed \(2, made /, 'vm vcpus': '1', 'vm memory': '256 MiB' })
  const other = driver.instance({ ...esxi.request({ kind: 'none' }), instance: `${instance.slice(0, -1)}2` })
  await t.rejects(other.prepare(never), /the VM deb is in use by gc-/)
  await other.remove(never)
  t.match(await driver.leftovers?.(never), [
    { name: instance, what: 'the VM [datastore1] deb/deb.vmx, running', shared: true, kept: false },
  ])
  await prepared.keep?.(never)
  t.match(await driver.leftovers?.(never), [{ name: instance, kept: true, shared: true }])
  await running.snapshot?.('mine', never)
  await esxi.openDriver().clean?.(instance, never)
  t.notMatch(await run(`vim-cmd vmsvc/snapshot.get ${await idOf(esxi, 'deb')}`), /mine/)
  t.match(await run(`vim-cmd vmsvc/power.getstate ${await idOf(esxi, 'deb')}`), /Powered off/)
  t.strictSame(await esxi.left(), [])
})

t.test('a lent VM is given back as it was found', async t => {
  const esxi = await startEsxi(t)
  const { driver, run } = esxi
  const id = await idOf(esxi, 'deb')
  const look = async (): Promise<string> =>
    `${await run(`vim-cmd vmsvc/power.getstate ${id};vim-cmd vmsvc/snapshot.get ${id}`)}`
  for (const command of ['true', `vim-cmd vmsvc/power.on ${id}`, `vim-cmd vmsvc/power.suspend ${id}`]) {
    await run(command)
    const before = await look()
    const prepared = await driver.instance(esxi.request({ kind: 'none' })).prepare(never)
    const running = await prepared.start(never)
    await running.snapshot?.('mine', never)
    await running.powerOff?.(never)
    await prepared.remove(never)
    t.equal(await look(), before, command)
    t.strictSame(await esxi.left(), [])
  }
})

t.test('what cannot be made, or is not as declared, is refused', async t => {
  const esxi = await startEsxi(t)
  const refused = async (request: GuestRequest, message: RegExp): Promise<void> => {
    const made = esxi.driver.instance(request)
    await t.rejects(made.prepare(never), message)
    await made.remove(never)
    t.strictSame(await esxi.left(), [])
  }
  const copy = { kind: 'copy', path: cleanDisk } as const
  const larger = { configuration: { name: 'x', vcpus: 2 } }
  await refused(esxi.request(copy, larger), /not as the lab declares it: vcpus is 1, not 2/)
  await refused(esxi.request(copy, { vm: 'nobody' }), /there is no VM "nobody"/)
  await refused(esxi.request({ kind: 'snapshot', name: 'no' }), /has no snapshot "no": it has first, sealed/)
  await refused(esxi.request({ kind: 'copy', path: '/vmfs/volumes/no.vmdk' }), /there is no disk/)
  await esxi.run(`vim-cmd vmsvc/snapshot.create ${await idOf(esxi, 'deb')} sealed`)
  await refused(esxi.request({ kind: 'snapshot', name: 'sealed' }), /has 2 snapshots named "sealed"/)
  await esxi.run('cd /vmfs/volumes/datastore1&&mkdir two&&sed s/other/deb/ other/other.vmx >two/two.vmx')
  await esxi.run('vim-cmd solo/registervm /vmfs/volumes/datastore1/two/two.vmx')
  await refused(
    esxi.request(copy),
    /has 2 VMs named "deb": name its file, one of \[datastore1\] deb\/deb\.vmx/,
  )
})

t.test('a machine is known by its file, whatever its id and whatever others call themselves', async t => {
  const esxi = await startEsxi(t)
  const { run } = esxi
  const prepared = await esxi.driver.instance(esxi.request()).prepare(never)
  const running = await prepared.start(never)
  await running.powerOff?.(never)
  const folder = `/vmfs/volumes/datastore1/${instance}`
  await run(`vim-cmd vmsvc/unregister ${await idOf(esxi, instance)}`)
  await run(`vim-cmd solo/registervm "$(readlink -f ${folder})/${instance}.vmx"`)
  // An annotation that looks like a line of the list, and comes first.
  const forged = `note|0A1      x   [datastore1] ${instance}/${instance}.vmx   otherGuest   vmx-14`
  await run(`echo 'annotation = "${forged}"' >>/vmfs/volumes/datastore1/other/other.vmx`)
  await running.powerOn?.(never)
  t.match(await run(`vim-cmd vmsvc/power.getstate ${await idOf(esxi, instance)}`), /Powered on/)
  await prepared.remove(never)
  t.notMatch(await run('ls /vmfs/volumes/datastore1'), /gc-/)
  t.notMatch(await run('vim-cmd vmsvc/getallvms'), /^\d+ +gc-/m)
})

t.test('a task that fails late is the error of what asked for it, in the host’s words', async t => {
  const faults = { lateFailure: { command: 'power\\.(?:suspend|reset)|snapshot\\.create' } }
  const esxi = await startEsxi(t, { faults })
  const running = await (await esxi.driver.instance(esxi.request()).prepare(never)).start(never)
  for (const act of [running.pause, running.reset, running.snapshot?.bind(running, 'one')]) {
    await t.rejects(async () => act?.(never), {
      message: /vim\.\w+\.\w+-\d+: A general system error occurred: the operation failed at its end/,
      context: { cause: 'host' },
    })
  }
  t.notOk(running.gone.aborted)
})

t.test('a question that waits for a person is an error of the host, in its own words', async t => {
  const esxi = await startEsxi(t, { faults: { fillsUp: { looks: 3 } } })
  const running = await (await esxi.driver.instance(esxi.request()).prepare(never)).start(never)
  await untilAborted(lossMs, running.gone)
  t.match(running.gone.reason, {
    message:
      /waits for an answer: Virtual machine message \d+: msg\.hbacommon\.outofspace:There is no more space/,
    context: { cause: 'host', code: 'lost' },
  })
})

t.test('a machine that asks whether it was copied does not start, and says so', async t => {
  const esxi = await startEsxi(t)
  await esxi.run(
    `cd /vmfs/volumes/datastore1/deb&&sed -i 's/^uuid.location.*/uuid.location = "elsewhere"/' deb.vmx`,
  )
  const lent = await esxi.driver.instance(esxi.request({ kind: 'none' })).prepare(never)
  await t.rejects(lent.start(never), {
    message: /the host waits for an answer: .*msg\.uuid\.altered/,
    context: { cause: 'host' },
  })
  // The same file makes a copy that asks nobody.
  await (await esxi.driver.instance(esxi.request()).prepare(never)).start(never)
})

t.test(
  'addresses that come late are waited for, and a host that is spoken to in vain is asked again',
  async t => {
    const esxi = await startEsxi(t, { faults: { lateAddresses: { looks: 3 }, sessionEnds: { calls: 4 } } })
    const prepared = await esxi.driver.instance(esxi.request()).prepare(never)
    const running = await prepared.start(never)
    t.match(await running.access(never), { endpoint: { host: /^192\.0\.2\./ }, via: {} })
    await running.snapshot?.('one', never)
    await running.shutdown?.(never)
    await prepared.remove(never)
    t.strictSame(await esxi.left(), [])
  },
)

t.test('a guest that does not shut down is at fault', async t => {
  const esxi = await startEsxi(t, { faults: { stuckInShutdown: { vm: '^gc-' } } })
  const running = await (await esxi.driver.instance(esxi.request()).prepare(never)).start(never)
  await running.access(never)
  await t.rejects(async () => running.shutdown?.(never), {
    message: /the guest did not shut down/,
    context: { cause: 'guest' },
  })
  await t.rejects(async () => running.powerOff?.(never), {
    message: /the host did not end it .*Device or resource busy/,
    context: { cause: 'host' },
  })
})

t.test('a full datastore is the host’s fault, and leaves no half-made copy', async t => {
  const esxi = await startEsxi(t, { faults: { noSpace: true } })
  const made = esxi.driver.instance(esxi.request())
  await t.rejects(made.prepare(never), {
    message: /vmkfstools -i .*: Failed to clone disk: No space left on device/,
    context: { cause: 'host' },
  })
  await made.remove(never)
  t.strictSame(await esxi.left(), [])
})

t.test('what must be well before a pass is looked at', async t => {
  const seen = async (faults: object, more: object = {}): Promise<string[]> => {
    const esxi = await startEsxi(t, { faults })
    const clean = { kind: 'snapshot', name: 'sealed' } as const
    const guests = [esxi.request(), esxi.request(clean), esxi.request({ kind: 'none' })]
    const host = {
      id: 'esx-1',
      product: 'esxi',
      version: '8.0',
      driver: esxiModule,
      capacity: { guests: 2, vcpus: 8, memoryBytes: 2 ** 34, locks: [] },
      ...more,
    } as unknown as Host
    const found: string[] = []
    for (const { name, carryOut } of esxi.driver.checks?.({ host, guests, freeBytes: 2 ** 30 }) ?? []) {
      const { state, seen: what } = await carryOut(never).catch(({ message }: Error) => {
        return { state: 'missing', seen: message }
      })
      found.push(`${name}: ${state} ${what}`)
    }
    return found
  }
  t.match(await seen({}), [
    'hostd: ok VMware ESXi 8.0.3',
    'version: ok VMware ESXi 8.0.3',
    'vcpus: ok 16',
    'memory: ok 32768MiB',
    'storage: ok 512000MiB in datastore1',
    /^clean state: ok [0-9a-f]{32}$/,
    /^clean state: ok made /,
    'clean state: ok [datastore1] deb/deb.vmx',
  ])
  t.match(await seen({ noSpace: true, vanishedSnapshot: { name: 'sealed' } }, { version: '7.0' }), [
    /^hostd: ok/,
    'version: missing VMware ESXi 8.0.3',
    /^vcpus: ok/,
    /^memory: ok/,
    'storage: missing 0MiB in datastore1',
    /^clean state: ok/,
    /^clean state: missing .*has no snapshot "sealed": it has first/,
    /^clean state: ok/,
  ])
})

t.test('only what the sources support is offered', t => {
  const offered = (configuration: object): string =>
    [...abilitiesOf({ configuration: { name: 'x', ...configuration } })].sort().join(' ')
  t.equal(offered({}), 'pause reset revert snapshot stop')
  t.equal(offered({ tools: 'none' }), 'pause reset revert snapshot')
  const written = (more: object) => ({ configuration: {}, emulated: false, folder: '/', ...more })
  t.match(esxiModule.placementMistakes(written({ clean: { copy: 'x.vmdk' } })), [
    /needs "vm"/,
    /absolute path/,
  ])
  t.match(esxiModule.placementMistakes(written({ vm: 'a', clean: { overlay: '/x' } })), [/no linked clones/])
  t.strictSame(esxiModule.placementMistakes(written({ vm: 'a', clean: { copy: cleanDisk } })), [])
  t.end()
})
