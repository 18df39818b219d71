import { test } from 'guestcert/api'

/** Writing a file, and reading it for the last time, in each family's shell. */
const commands = {
  linux: (name: string) => ({
    write: `echo kept > /var/tmp/${name} && sync`,
    read: `cat /var/tmp/${name} && rm -f /var/tmp/${name}`,
  }),
  windows: (name: string) => ({
    write: `echo kept>"%SystemRoot%\\Temp\\${name}"`,
    read: `type "%SystemRoot%\\Temp\\${name}"&& del "%SystemRoot%\\Temp\\${name}"`,
  }),
} as const

/**
 * The guest reboots when asked, and comes back as it was. The engine proves the reboot by a changed boot identity and an
 * uptime smaller than the time since the request (Linux: /proc/sys/kernel/random/boot_id, see random(4); Windows: the
 * record number of event 6005, and our own word in event 1074). A guest that does not come back, or that never went
 * down, fails the check of the reboot.
 */
export default test(async ({ guest, environment, expect, measure }) => {
  const { write, read } = commands[environment.guest.family](`guestcert-reboot-${Date.now()}`)
  const written = await guest.run(write)
  expect(written.succeeded).toBe(true, 'a file is written before the reboot')

  const identity = await guest.bootIdentity()
  expect(identity).toMatch(/\S/, 'the guest has a boot identity')
  expect(await guest.bootIdentity()).toBe(identity, 'the boot identity stays while the guest runs')

  const reboot = await expect.resolves(guest.reboot(), 'the guest reboots when asked, and is ready again')
  if (reboot === undefined) return
  const { before, after, uptimeSec, tookMs } = reboot
  measure('reboot', tookMs / 1000)
  expect(before).toBe(identity, 'the reboot began in the boot that was seen before')
  expect(after).not.toBe(identity, 'the boot identity has changed')
  expect(uptimeSec * 1000, 'ms').toBeLessThan(
    tookMs,
    'the guest runs for less time than has passed since the request',
  )
  expect(await guest.bootIdentity()).toBe(after, 'the guest has rebooted once')

  const kept = await guest.run(read)
  expect(kept.stdout).toBe('kept\n', 'the file is still there')
})
