import { windowsTest } from 'guestcert/api'

/**
 * The guest reboots when asked, and comes back as it was. The engine proves the reboot by another record number of event
 * 6005, an uptime smaller than the time since the request, and its own word in event 1074.
 */
export default windowsTest(async ({ guest, expect, measure }) => {
  const file = `${guest.folder}\\reboot.txt`
  const content = Buffer.from(`kept ${Date.now()}`)
  await guest.writeBytes(file, content)

  const identity = await guest.bootIdentity()
  expect(identity).toMatch(/\S/, 'the guest has a boot identity')
  expect(await guest.bootIdentity()).toBe(identity, 'the boot identity stays while the guest runs')

  const { before, after, uptimeSec, tookMs } = await guest.reboot()
  measure('reboot', tookMs / 1000)
  expect(before).toBe(identity, 'the reboot began in the boot that was seen before')
  expect(after).not.toBe(identity, 'the boot identity has changed')
  expect(uptimeSec * 1000).toBeLessThan(
    tookMs,
    'the guest runs for less time than has passed since the request',
  )
  expect(await guest.bootIdentity()).toBe(after, 'the guest has rebooted once')

  const kept = Buffer.from(await guest.readBytes(file))
  expect(kept.equals(content)).toBe(true, 'the file is still there')
})
