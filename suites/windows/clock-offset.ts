import { windowsTest } from 'guestcert/api'

/** Kerberos allows five minutes, TLS and logs less; beyond this, clocks are set wrongly and not merely apart. */
const mostMs = 5000
/** A comparison that is less certain than this says nothing about the limit above. */
const leastCertaintyMs = 1000

/** The wall clock of the guest against the runner's. What the comparison cannot know counts in the guest's favour. */
export default windowsTest(async ({ guest, expect, measure }) => {
  const { ms, uncertaintyMs } = await guest.clockOffset()
  measure('offset', ms)
  measure('uncertainty', uncertaintyMs)
  if (!expect(uncertaintyMs).toBeWithin(0, leastCertaintyMs, 'the comparison is certain to a second')) return
  expect(Math.abs(ms) - uncertaintyMs).toBeLessThan(
    mostMs,
    "the guest's clock is within five seconds of the runner's",
  )
})
