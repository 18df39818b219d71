import { test } from 'guestcert/api'
import { startTicks, tickMs } from './ticks.js'

const pauseMs = 5_000
/** Ticks that may be under way when the pause begins and ends. */
const slack = 2

/**
 * While its host has paused it the guest does nothing at all, and afterwards it goes on where it was. What its wall
 * clock makes of the pause differs: on Xen and Hyper-V it goes on, on KVM it stands still until something sets it; so
 * the difference is measured, and judged by `core/clock-offset` alone.
 */
export default test(async ({ guest, host, expect, measure }) => {
  const before = await guest.bootIdentity()
  const ticks = await startTicks(guest)
  // From before the first count was asked for: what ticks until its answer has come is not a tick of the pause.
  const startedAt = performance.now()
  const first = await ticks.count()
  await host.pause({ for: pauseMs })
  const second = await ticks.count()
  const awakeMs = performance.now() - startedAt - pauseMs

  const answers = expect(Number.isNaN(second)).toBe(
    false,
    'it answers afterwards, and what ran before is there',
  )
  // Each further question to one that is dead would wait for its whole limit.
  if (!answers) return
  expect(second - first).toBeWithin(0, awakeMs / tickMs + slack, 'it stood still while it was paused')
  const third = await ticks.count()
  await guest.run('sleep 1')
  expect(await ticks.count()).toBeGreaterThan(third, 'what ran before the pause runs on after it')
  expect(await guest.bootIdentity()).toBe(before, 'it is the same boot')
  await ticks.stop()
  const { ms } = await guest.clockOffset()
  measure('offset', ms)
})
