import { test } from 'guestcert/api'

const name = 'lifecycle'

/**
 * The guest goes back to a snapshot that was taken while it ran: what was written since is gone, from its disk and from
 * its caches, what was there is there, and it is the boot that it was then.
 */
export default test(async ({ guest, host, expect, measure }) => {
  const marker = `/var/tmp/guestcert-marker-${Date.now()}`
  await guest.run(`echo before >${marker}.before&&sync`)
  const identity = await guest.bootIdentity()
  await host.snapshot(name)
  const written = await guest.run(`echo after >${marker}.after&&sync&&cat ${marker}.after`)
  expect(written.stdout).toBe('after\n', 'a file is written after the snapshot')
  const { bootIdentityAfter, tookMs } = await guest.expectDisconnect(() => host.revert(name), {
    within: '9m',
  })
  measure('revert', tookMs / 1000)
  const left = await guest.run(`ls ${marker}.*`)
  expect(left.stdout).toBe(`${marker}.before\n`, 'what was written after the snapshot is gone, and only that')
  expect(bootIdentityAfter).toBe(identity, 'it is the boot that the snapshot was taken of')
  await guest.run(`rm -f ${marker}.*`)
  await host.deleteSnapshot(name)
})
