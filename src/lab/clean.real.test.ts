/** `guestcert lab clean` on a real libvirt host: needs what docs/libvirt.md says. No guest is waited for. */
import { join } from 'node:path'
import t from 'tap'
import { defaultLimits } from '../config/limits.js'
import type { CleanState, Lab } from '../config/model.js'
import type { Driver } from '../hypervisors/driver.js'
import { openLeases } from '../hypervisors/lease.js'
import { localVirsh } from '../hypervisors/libvirt/daemons.test.fixture.js'
import { never, startRealHost } from '../hypervisors/libvirt/real-host.test.fixture.js'
import { type Cleaned, cleanLab } from './clean.js'

t.setTimeout(600_000)

const real = await startRealHost(t)
const overlay: CleanState = { kind: 'overlay', path: real.vm.base }
const request = await real.requestFor(1, overlay)
const guest = { ...request.guest, on: [request.placement] }
const limits = { ...defaultLimits, lease: 6_000, leaseRenewal: 1_000, leaseLook: 300 }
const lab: Lab = {
  name: 'clean',
  file: '/lab.yaml',
  limits,
  retries: 0,
  parallel: 1,
  hosts: new Map([[real.host.id, real.host]]),
  guests: new Map([[guest.id, guest]]),
  hostFailures: 2,
  suites: [],
}
const folder = t.testdir()
const folders = { host: join(folder, 'host.lease'), guest: join(folder, 'guest.lease') }

/** Other tests may use the same host: what they have made is not on this driver's list. */
function openDriver(): Driver {
  const driver = real.openDriver()
  return {
    ...driver,
    leftovers: async signal =>
      ((await driver.leftovers?.(signal)) ?? []).filter(({ run }) => run === real.run),
  }
}

async function clean(dryRun = false): Promise<Cleaned[]> {
  const found: Cleaned[] = []
  const driver = openDriver()
  await cleanLab({
    lab,
    who: 'carol',
    from: 'here',
    driverOf: () => driver,
    whyNot: () => null,
    dryRun,
    kept: false,
    signal: never,
    onCleaned: cleaned => found.push(cleaned),
    folders,
  })
  return found
}

/** Starts an overlay and the VM itself, and goes away as a killed runner does. */
async function leaveInstances(): Promise<void> {
  const driver = real.openDriver()
  for (const [number, state] of [
    [1, overlay],
    [2, { kind: 'none' }],
  ] as const) {
    const prepared = await driver.instance(await real.requestFor(number, state)).prepare(never)
    // Both have the one port that leads to the guest: the second is left as it is.
    if (number === 1) {
      await prepared.start(never)
    }
  }
  await driver.close()
}

t.test('what a dead run left is removed, and the host is as it was', async t => {
  const before = await localVirsh('list', '--all')
  await leaveInstances()
  const [first, second] = [`gc-${real.run}-e1-1`, `gc-${real.run}-e1-2`]
  t.match(await localVirsh('domstate', first), 'running')

  t.match(await clean(true), [
    { name: first, what: /^domain, running; guestcert instance/, stays: null },
    { name: second, what: /^the VM gctest-/, stays: null },
  ])
  t.match(await localVirsh('domstate', first), 'running', 'a dry run removes nothing')

  const place = { host: real.host, guest, placement: request.placement, driver: openDriver() }
  const holdAs = async (run: string): Promise<() => Promise<void>> => {
    const leases = openLeases({ who: 'alice', run, limits, folders })
    await leases.hold({ ...place, signal: never, onWait: () => {} })
    return leases.close
  }
  const release = await holdAs(real.run)
  t.match(await clean(), [{ stays: /belongs to a run that lives: alice/ }, { stays: /run that lives/ }])
  await release()
  const releaseOther = await holdAs('another-run')
  t.match(await clean(), [
    { name: first, stays: null },
    { name: second, stays: /others may use it now: alice/ },
  ])
  await releaseOther()
  t.match(await clean(), [{ name: second, stays: null, failed: false }])
  t.same(await clean(), [])
  t.equal(await localVirsh('list', '--all'), before)
  t.same(await real.instanceFiles(), [])
})
