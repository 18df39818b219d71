import { test } from 'guestcert/api'

/** What Kerberos, TLS and databases bear differs; beyond this, clocks are set wrongly and not merely apart. */
const mostMs = 5000

/** A comparison that is less certain than this says nothing about the limit above. */
const leastCertaintyMs = 1000

/**
 * The wall clock of the guest against the runner's. Half of the round trip of the best reading is what the comparison
 * cannot know (as in NTP, RFC 5905 section 8), and counts in the guest's favour. A guest without time service takes its
 * clock from the hypervisor's virtual RTC once, so a lab's runner and hosts must agree.
 */
export default test(async ({ guest, expect, measure }) => {
  const { ms, uncertaintyMs } = await guest.clockOffset()
  measure('offset', ms)
  measure('uncertainty', uncertaintyMs)
  if (uncertaintyMs > leastCertaintyMs) {
    // The guest is not to blame for what could not be measured in time.
    throw new Error(
      `the clocks could not be compared: the shortest question took ${Math.round(uncertaintyMs * 2)} ms, and the comparison must be certain to ${leastCertaintyMs} ms`,
    )
  }
  expect(Math.abs(ms) - uncertaintyMs, 'ms').toBeLessThan(
    mostMs,
    "the guest's clock is within five seconds of the runner's",
  )
})
