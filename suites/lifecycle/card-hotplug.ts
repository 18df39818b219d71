import { test } from 'guestcert/api'
import { untilSeen } from './until-seen.js'

/** A network card that is added while the guest runs is found there, by its address, and gone when it was taken away. */
export default test(async ({ guest, host, expect, measure }) => {
  const cards = async (): Promise<readonly string[]> => {
    const { stdout } = await guest.run('cat /sys/class/net/*/address')
    return stdout.toLowerCase().split('\n')
  }
  const before = (await cards()).length
  const { mac } = await host.attachNic()
  const startedAt = performance.now()
  const found = await untilSeen(async () => ((await cards()).includes(mac.toLowerCase()) ? mac : undefined))
  measure('found', performance.now() - startedAt)
  expect(found).toBe(mac, 'the guest finds the card, by its address')
  await host.detachNic(mac)
  const left = await untilSeen(async () => {
    const now = await cards()
    return now.includes(mac.toLowerCase()) ? undefined : now.length
  })
  expect(left).toBe(before, 'it is gone when it was taken away, and only that one')
})
