/** The contract test on a real QEMU and a real libvirt, with a real Debian as the guest. */
import t, { type Test } from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { Guest, Host, Lab } from '../../config/model.js'
import type { Driver } from '../../hypervisors/driver.js'
import { startRealHost } from '../../hypervisors/libvirt/real-host.test.fixture.js'
import { createQemuDriver } from '../../hypervisors/qemu/driver.js'
import { qemuModule } from '../../hypervisors/qemu/module.js'
import { defaultCacheFolder } from '../../hypervisors/shared/cache.js'
import { buildImage } from '../../lab/images/build.js'
import { loadRecipe } from '../../lab/images/recipe.js'
import { scratchOn } from './scratch.js'
import { type ContractReport, testContract } from './test-contract.js'
import { transcriptSchema } from './transcript.js'

t.setTimeout(1_800_000)
const never = new AbortController().signal
const place = { file: '/lab.yaml', line: 1, column: 1 }

function labOf(host: Host, guest: Guest): Lab {
  // Under software emulation everything takes its time.
  const limits = {
    ...defaultLimits,
    boot: 600_000,
    handshake: 60_000,
    authentication: 60_000,
    firstCommand: 60_000,
  }
  return {
    name: 'contract',
    file: '/lab.yaml',
    limits,
    retries: 0,
    hostFailures: 1,
    parallel: 1,
    hosts: new Map([[host.id, host]]),
    guests: new Map([[guest.id, guest]]),
    suites: ['builtin'],
  }
}

async function tested(t: Test, lab: Lab, open: () => Driver): Promise<ContractReport> {
  const host = [...lab.hosts.keys()][0] ?? ''
  const [driver, witness] = [open(), open()]
  const report = await testContract({
    lab,
    scratch: scratchOn(lab, host),
    driver,
    witness,
    who: 'the test',
    guestcert: '0',
    day: '2026-12-01',
    redact: text => text,
    signal: never,
    onWait: (machine, owner) => t.comment(`${machine}: waiting for ${owner}`),
    onBegin: title => t.comment(title),
    onResult: ({ part, state, seen }) => t.equal(state, 'held', `${part}: ${seen}`),
  })
  t.same(transcriptSchema.parse(report.transcript), report.transcript)
  t.equal(report.transcript.real, true)
  t.ok(report.transcript.exchanges.length > 10, `${report.transcript.exchanges.length} exchanges`)
  return report
}

t.test('QEMU on this machine', async t => {
  const cacheFolder = defaultCacheFolder()
  await buildImage(await loadRecipe('debian'), { cacheFolder, signal: never })
  const host: Host = {
    id: 'here',
    place,
    product: 'qemu',
    version: '7.2',
    driver: qemuModule,
    capacity: { guests: 1, vcpus: 1, memoryBytes: 2 ** 30, locks: [] },
  }
  const guest: Guest = {
    id: 'debian',
    place,
    product: 'debian',
    version: '12',
    arch: 'x86_64',
    family: 'linux',
    shell: 'posix',
    login: { user: 'root', key: { kind: 'image' }, algorithms: 'modern', hostKey: { kind: 'image' } },
    tags: [],
    reboot: null,
    on: [
      {
        host: 'here',
        place,
        image: 'debian',
        clean: { kind: 'none' },
        viaHost: false,
        configuration: { name: 'small', vcpus: 1, memoryBytes: 256 * 2 ** 20, firmware: 'bios' },
      },
    ],
  }
  const opened: Driver[] = []
  t.teardown(() => Promise.all(opened.map(driver => driver.close())))
  await tested(t, labOf(host, guest), () => {
    const driver = createQemuDriver({ host, cacheFolder })
    opened.push(driver)
    return driver
  })
})

t.test('libvirt on this machine', async t => {
  const real = await startRealHost(t)
  const { guest, placement } = await real.requestFor(1, { kind: 'overlay', path: real.vm.base })
  const { transcript } = await tested(t, labOf(real.host, { ...guest, on: [placement] }), () =>
    real.openDriver(),
  )
  t.same(await real.instanceFiles(), [])
  t.notMatch(JSON.stringify(transcript.exchanges), /kvm-1/)
})
