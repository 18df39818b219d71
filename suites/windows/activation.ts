import { windowsTest } from 'guestcert/api'

/** Tests may take so long. */
const leastDays = 1

/**
 * Whether Windows is licensed (SoftwareLicensingProduct.LicenseStatus, before 2008 Win32_WindowsProductActivation), and
 * that an evaluation does not end during the tests: it shuts its guest down.
 */
export default windowsTest(async ({ guest, expect, measure }) => {
  const activation = await guest.activation()
  if (!expect(activation).not.toBe(null, 'Windows says whether it is activated') || activation === null)
    return
  const { state, daysLeft } = activation
  expect(state).toBeOneOf(['licensed', 'grace', 'evaluation'], 'it may be used')
  if (daysLeft !== null) {
    measure('days-left', daysLeft)
    expect(daysLeft).toBeGreaterThan(leastDays, 'it may be used for longer than a day')
  }
})
