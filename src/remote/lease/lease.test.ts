import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { HostShell } from './ask.js'
import { type Lease, type LeaseLimits, lookAtLease, takeLease } from './lease.js'
import { leaseClient } from './script.test.cases.js'

const never = new AbortController().signal
const ours: LeaseLimits = {
  ...defaultLimits,
  lease: 4_000,
  leaseRenewal: 1_000,
  leaseLook: 100,
  leaseWait: 60_000,
}

/** This machine's shell; it can be taken away. */
function shellHere(): HostShell & { isGone: boolean; asked: number } {
  return {
    label: 'here',
    isGone: false,
    asked: 0,
    run(command) {
      this.asked += 1
      if (this.isGone) {
        return Promise.reject(new Error('there is no route to it'))
      }
      return new Promise(resolve => {
        execFile('/bin/sh', ['-c', command], (error, stdout, stderr) =>
          resolve({
            exit: { kind: 'code', code: error === null ? 0 : 1 },
            stdout: { text: stdout },
            stderr: { text: stderr },
          }),
        )
      })
    },
  }
}

function take(t: Test, folder: string, id: string, shell: HostShell, limits = ours): Promise<Lease> {
  const lease = takeLease({
    label: 'here',
    folder,
    shell: async () => shell,
    id,
    who: id,
    from: 'here',
    run: id,
    limits,
    signal: never,
  })
  t.teardown(async () => (await lease).release())
  return lease
}

t.test('a contender watches for as long as the owner has recorded, whatever its own settings', async t => {
  for (const leaseRenewal of [50, 3_600_000]) {
    const folder = join(t.testdir(), `lease-${leaseRenewal}`)
    // An owner that means to renew it every second, and has died.
    await leaseClient(['/bin/sh'], folder)('take', 'dead', '0', 0, 1)
    const startedAt = performance.now()
    const lease = await take(t, folder, 'b', shellHere(), { ...ours, leaseRenewal })
    t.equal(lease.generation, 2)
    t.ok(performance.now() - startedAt >= 1_500, 'one and a half of the recorded seconds')
  }
})

t.test('the owner is certain between renewals without asking, and no longer when they fail', async t => {
  const folder = join(t.testdir(), 'lease')
  const shell = shellHere()
  const lease = await take(t, folder, 'a', shell)
  t.ok(lease.isCertain())
  const { asked } = shell
  t.ok(lease.isCertain())
  t.equal(shell.asked, asked, 'that costs no question')

  shell.isGone = true
  const brokenAt = performance.now()
  while (lease.isCertain()) {
    await pause(20)
    if (performance.now() - brokenAt > 60_000) throw new Error('it is certain for ever')
  }
  await t.rejects(lease.confirm(null, never), /there is no route to it/)
  const contender = await take(t, folder, 'b', shellHere())
  t.equal(contender.generation, 2)
  t.notOk(lease.isCertain(), 'long before anybody could take it over')

  shell.isGone = false
  await t.rejects(lease.confirm(null, never), /the lease was lost: it was taken over by b on here/)
  t.ok(lease.lost.aborted)
  t.notOk(lease.isCertain())
})

t.test('one that was taken over while its owner slept is not certain again before it has asked', async t => {
  const folder = join(t.testdir(), 'lease')
  const lease = await take(t, folder, 'a', shellHere())
  const look = (): ReturnType<typeof lookAtLease> => lookAtLease(shellHere(), folder, ours, never)
  const wallNow = Date.now
  t.teardown(() => Object.assign(Date, { now: wallNow }))
  const { mark } = await look()
  Object.assign(Date, { now: () => wallNow() + 3_600_000 })
  t.notOk(lease.isCertain())
  while ((await look()).mark === mark) {
    await pause(50)
  }
  await lease.confirm(null, never)
  t.ok(lease.isCertain())
})
