import { test } from 'guestcert/api'
import { startTicks } from './ticks.js'

/**
 * The guest is moved to another host while it runs, and back: it is the same boot, what ran in it runs on, and its clock
 * goes off by no more than the moves took: the guest stands still for a moment at the end of each.
 */
export default test(async ({ guest, host, expect, measure }) => {
  const ticks = await startTicks(guest)
  const before = await guest.clockOffset()
  let movedMs = 0
  for (const way of ['there', 'back'] as const) {
    const { bootIdentityBefore, bootIdentityAfter, tookMs } = await guest.expectDisconnect(
      () => host.migrate(),
      { within: '12m' },
    )
    measure(way, tookMs / 1000)
    movedMs += tookMs
    expect(bootIdentityAfter).toBe(bootIdentityBefore, `${way}: it is the same boot`)
    const arrived = await ticks.count()
    await guest.run('sleep 1')
    expect(await ticks.count()).toBeGreaterThan(arrived, `${way}: what ran before the move runs on after it`)
  }
  await ticks.stop()
  const after = await guest.clockOffset()
  const offMs = after.ms - before.ms
  measure('clock', offMs)
  expect(Math.abs(offMs) - before.uncertaintyMs - after.uncertaintyMs, 'ms').toBeLessThan(
    movedMs,
    'its clock is off by no more than the moves took',
  )
})
