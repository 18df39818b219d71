import { test } from 'guestcert/api'

/**
 * The host asks the guest to shut down, as its power button does, and the guest obeys; started again it is another
 * boot, with its disk as it was left. A guest that does not obey the button, or does not come back, fails a check.
 */
export default test(async ({ guest, host, expect, measure }) => {
  const file = `/var/tmp/guestcert-power-${Date.now()}`
  const written = await guest.run(`echo kept >${file}&&sync`)
  expect(written.succeeded).toBe(true, 'a file is written before')
  let downMs = 0
  const restart = await expect.resolves(
    guest.expectDisconnect(
      async () => {
        const startedAt = performance.now()
        await host.shutdown()
        downMs = performance.now() - startedAt
        await host.powerOn()
      },
      { within: '14m' },
    ),
    'the guest shuts down when its host asks, and is ready again when started',
  )
  if (restart === undefined) return
  const { bootIdentityBefore, bootIdentityAfter, tookMs } = restart
  measure('shutdown', downMs / 1000)
  measure('start', (tookMs - downMs) / 1000)
  expect(bootIdentityAfter).not.toBe(bootIdentityBefore, 'it has booted anew')
  const kept = await guest.run(`cat ${file}&&rm -f ${file}`)
  expect(kept.stdout).toBe('kept\n', 'the file is still there')
})
