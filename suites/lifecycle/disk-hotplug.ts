import { type Guest, test } from 'guestcert/api'
import { untilSeen } from './until-seen.js'

const sizeBytes = 64 * 1024 * 1024

/** What is listed among the disks and is none. */
const noDisk = /^(?:loop|ram|zram|sr|fd|dm-|md)\d/

async function disksOf(guest: Guest): Promise<readonly string[]> {
  const { stdout } = await guest.run('ls /sys/block')
  return stdout.split(/\s+/).filter(name => name !== '' && !noDisk.test(name))
}

/**
 * A disk that is added while the guest runs is found there, with its size, keeps what is written to it, and is gone when
 * it has been taken away. It is known by being new: not every bus shows a serial.
 */
export default test(async ({ guest, host, expect, measure }) => {
  const before = await disksOf(guest)
  const { serial } = await host.attachDisk(sizeBytes)
  const startedAt = performance.now()
  const added = await untilSeen(async () => (await disksOf(guest)).find(name => !before.includes(name)))
  measure('found', performance.now() - startedAt)
  const isThere = expect(added).toMatch(/^\w+$/, 'the guest finds the disk')
  if (isThere && added !== undefined) {
    const size = await guest.run(`cat /sys/block/${added}/size`)
    expect(Number(size.stdout) * 512, 'bytes').toBe(sizeBytes, 'it is as large as it was made')
    const device = `/dev/${added}`
    const kept = await guest.run(
      `echo guestcert|dd of=${device} bs=512 count=1 conv=sync 2>/dev/null&&sync&&echo 1 >/proc/sys/vm/drop_caches&&dd if=${device} bs=512 count=1 2>/dev/null|head -n 1`,
    )
    expect(kept.stdout).toBe('guestcert\n', 'it keeps what is written to it')
  }
  await host.detachDisk(serial)
  const left = await untilSeen(async () => {
    const now = await disksOf(guest)
    return now.length <= before.length ? now.join(' ') : undefined
  })
  expect(left).toBe(before.join(' '), 'it is gone when it was taken away')
})
