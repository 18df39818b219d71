import t from 'tap'
import { withoutPwsh } from '../../remote/shells/windows/pwsh.test.fixture.js'
import { contract } from '../contract.test.fixture.js'
import type { Driver } from '../driver.js'
import { HostRefused } from './ask.js'
import { hostLeaseCases } from './lease.test.cases.js'
import { instance, type Played, startPowerShellHost } from './powershell-host.test.fixture.js'

/** What is the driver's own, in a real PowerShell over the modules of fixtures/hyperv. */
t.setTimeout(1_200_000)
const never = new AbortController().signal

if (withoutPwsh === false) {
  contract(t, 'Hyper-V 2012, generation 1, a copy', t =>
    startPowerShellHost(t, {
      version: '2012',
      generation: 1,
      clean: { kind: 'copy', path: 'C:\\clean\\rhel9.vhdx' },
    }),
  )
}

t.test('each version is driven with what it has', { skip: withoutPwsh }, async t => {
  for (const version of ['2012', '2012 R2', '2016', '2025'] satisfies Played[]) {
    const { driver, request, read, left } = await startPowerShellHost(t, { version, generation: 1 })
    t.match(await driver.facts(never), { product: 'hyper-v', version })
    const made = await driver.instance(request).prepare(never)
    const running = await made.start(never)
    t.equal(typeof running.nmi, version === '2012' ? 'undefined' : 'function', version)
    await running.nmi?.(never)
    t.equal(read().vms.find(({ name }) => name === instance)?.nmis ?? null, version === '2012' ? null : 1)
    await running.stop(never)
    await made.remove(never)
    t.strictSame(await left(), [], version)
  }
})

t.test('the guest that does not hear is ended by force', { skip: withoutPwsh }, async t => {
  const { driver, request, change, read } = await startPowerShellHost(t)
  const made = await driver.instance(request).prepare(never)
  const running = await made.start(never)
  change(({ vms }) => Object.assign(vms[1] ?? {}, { deaf: true }))
  await running.stop(never)
  t.match(read().vms, [{ name: 'rhel9' }, { name: instance, state: 'Off' }])
})

t.test(
  'what runs without integration services cannot be asked, and is the guest’s',
  { skip: withoutPwsh },
  async t => {
    const { driver, request, change } = await startPowerShellHost(t)
    const running = await (await driver.instance(request).prepare(never)).start(never)
    change(({ vms }) => Object.assign(vms[1] ?? {}, { integration: false }))
    await t.rejects(async () => running.shutdown?.(never), {
      message: /integration services do not answer/,
      context: { cause: 'guest' },
    })
  },
)

t.test('trouble is told by its identifier, in whatever language', { skip: withoutPwsh }, async t => {
  const { driver, request, change, left } = await startPowerShellHost(t)
  change(({ faults }) => Object.assign(faults, { memory: true, language: 'Za mało pamięci.' }))
  const made = driver.instance(request)
  await made.prepare(never)
  await t.rejects(made.start(never), {
    message: /Za mało pamięci\. \(OutOfMemory,Microsoft\.HyperV\.PowerShell\.Commands\.StartVM.*0x8007000E\)/,
    context: { cause: 'host' },
  })
  await made.remove(never)
  t.strictSame(await left(), [])
  change(host => Object.assign(host, { faults: { space: true } }))
  const error: unknown = await driver
    .instance(request)
    .prepare(never)
    .catch((error: unknown) => error)
  t.ok(error instanceof HostRefused && error.refusal.hresult === '80070070', 'no space is left')
})

t.test('a host that has lost its disk waits for a person', { skip: withoutPwsh }, async t => {
  const { driver, request, change } = await startPowerShellHost(t)
  const running = await (await driver.instance(request).prepare(never)).start(never)
  change(({ vms }) => Object.assign(vms[1] ?? {}, { state: 'PausedCritical' }))
  await new Promise<void>(resolve => {
    if (running.gone.aborted) resolve()
    running.gone.addEventListener('abort', () => resolve(), { once: true })
  })
  t.match(running.gone.reason, { message: /PausedCritical/, context: { cause: 'host' } })
})

t.test(
  'an address is the guest’s word, else the host’s table of neighbours',
  { skip: withoutPwsh },
  async t => {
    const { driver, request, change, read } = await startPowerShellHost(t)
    const running = await (await driver.instance(request).prepare(never)).start(never)
    t.match(await running.access(never), { endpoint: { host: '192.0.2.16' }, others: [] })
    change(host => {
      const { nics = [] } = (host.vms[1] ?? {}) as { nics?: { addresses: string[] }[] }
      for (const nic of nics) nic.addresses = []
      host.neighbours.push({ mac: '00-15-5D-00-00-01', address: '192.0.2.77' })
    })
    t.match(read().vms[1], { nics: [{ mac: '00155D000001' }] })
    t.match(await running.access(never), { endpoint: { host: '192.0.2.77' } })
  },
)

t.test('a lent machine is given back, also by whoever cleans up', { skip: withoutPwsh }, async t => {
  const subject = await startPowerShellHost(t, { clean: { kind: 'none' } })
  const { driver, request, read, change, left } = subject
  for (const state of ['Off', 'Running', 'Paused']) {
    change(({ vms }) => Object.assign(vms[0] ?? {}, { state }))
    const running = await (await driver.instance(request).prepare(never)).start(never)
    await running.powerOff?.(never)
    t.match(await driver.leftovers?.(never), [
      { name: instance, run: '20260101-000000-abcd', what: 'the VM rhel9, Off', shared: true, kept: false },
    ])
    const other: Driver = subject.openDriver()
    await other.clean?.(instance, never)
    t.match(read().vms, [{ name: 'rhel9', state }], state)
    t.strictSame(await left(), [])
    await other.close()
  }
  change(({ vms }) => Object.assign(vms[0] ?? {}, { state: 'Saved' }))
  await t.rejects(driver.instance(request).prepare(never), /is saved, and could not be given back/)
  change(({ vms }) => Object.assign(vms[0] ?? {}, { state: 'Off', clustered: true }))
  await t.rejects(driver.instance(request).prepare(never), /belongs to a cluster/)
})

t.test('a checkpoint of a shared machine is its clean state', { skip: withoutPwsh }, async t => {
  const subject = await startPowerShellHost(t, { clean: { kind: 'snapshot', name: 'sealed' } })
  const { driver, request, change, read, left } = subject
  await t.rejects(driver.instance(request).prepare(never), /there is no snapshot "sealed": there are none/)
  change(({ vms }) => {
    for (const vm of vms) {
      const copy = structuredClone(vm)
      vm.snapshots = [{ id: 'b1946ac9-2492-4d23-8a0e-3f3b1a5b2f10', name: 'sealed', copy }]
    }
  })
  const made = await driver.instance(request).prepare(never)
  const running = await made.start(never)
  t.equal(running.snapshot, undefined, 'what would stay with it is not offered')
  t.match(read().vms, [{ state: 'Running' }])
  await made.remove(never)
  t.match(read().vms, [{ state: 'Off' }])
  t.strictSame(await left(), [])
})

t.test(
  'what is kept stays until it is asked for, and what a dead run left goes',
  { skip: withoutPwsh },
  async t => {
    const subject = await startPowerShellHost(t)
    const { driver, request, left } = subject
    const made = await driver.instance(request).prepare(never)
    await made.start(never)
    t.match(await driver.leftovers?.(never), [
      { name: instance, kept: false, what: 'a virtual machine (Running)' },
    ])
    await made.keep?.(never)
    t.match(await driver.leftovers?.(never), [{ name: instance, kept: true, shared: false }])
    const other = subject.openDriver()
    await other.clean?.('rhel9', never)
    await other.clean?.(instance, never)
    t.strictSame(await left(), [])
    t.strictSame(await other.leftovers?.(never), [])
  },
)

t.test('what must be well before a pass is looked at', { skip: withoutPwsh }, async t => {
  const { driver, request } = await startPowerShellHost(t)
  const { guest, placement } = request
  const gone = { ...placement, clean: { kind: 'overlay', path: 'C:\\clean\\gone.vhdx' } as const }
  const capacity = { guests: 2, vcpus: 64, memoryBytes: 2 ** 30, locks: [] }
  const host = { id: 'hv-1', product: 'hyper-v', version: '2019', capacity } as never
  const checks =
    driver.checks?.({
      host,
      guests: [
        { guest, placement },
        { guest, placement: gone },
      ],
      freeBytes: 1,
    }) ?? []
  const seen = []
  for (const { name, carryOut } of checks) seen.push(`${name}: ${(await carryOut(never)).state}`)
  t.strictSame(seen, [
    'hyper-v: ok',
    'version: missing',
    'vcpus: missing',
    'memory: ok',
    'free space: ok',
    'virtual machine: ok',
    'clean state: ok',
    'virtual machine: ok',
    'clean state: missing',
  ])
})

t.test('the lease of a Windows host keeps the rules of the others', { skip: withoutPwsh }, async t => {
  await hostLeaseCases(t, (await startPowerShellHost(t)).driver)
})
