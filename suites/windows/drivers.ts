import { windowsTest } from 'guestcert/api'

/**
 * Win32_PnPSignedDriver, of which each device with a driver has one
 * (https://learn.microsoft.com/en-us/windows/win32/cimwin32prov/win32-pnpsigneddriver, IsSigned and Signer). Who signed
 * each is kept as evidence, and is held against those whom the lab names, if it names any.
 */
export default windowsTest(async ({ guest, environment, expect, measure }) => {
  const objects = await guest.wmi('Win32_PnPSignedDriver', {
    get: ['DeviceID', 'DeviceName', 'DriverProviderName', 'DriverVersion', 'InfName', 'IsSigned', 'Signer'],
    limit: '2m',
  })
  // A device that runs raw or is of the legacy kind has an object too, and no driver.
  const drivers = objects.filter(
    ({ InfName, DriverProviderName }) => InfName !== null && DriverProviderName !== null,
  )
  measure('drivers', drivers.length)
  if (!expect(drivers.length).toBeGreaterThan(0, 'drivers can be asked for at all')) return
  const unsigned = drivers.filter(({ IsSigned }) => IsSigned !== true)
  expect(unsigned.map(({ DeviceName, InfName }) => `${DeviceName} (${InfName})`)).toEqual(
    [],
    'every driver is signed',
  )
  const [major = 0] = guest.version.split('.').map(Number)
  if (major >= 6) {
    const nameless = drivers.filter(({ IsSigned, Signer }) => IsSigned === true && Signer === null)
    expect(nameless.map(({ DeviceName }) => DeviceName)).toEqual([], 'it is said who signed each')
  }
  const { driverSigners: allowed } = environment.guest
  if (allowed !== null) {
    const foreign = drivers.filter(({ Signer }) => Signer !== null && !allowed.includes(String(Signer)))
    expect(foreign.map(({ DeviceName, Signer }) => `${DeviceName} (${Signer})`)).toEqual(
      [],
      'every driver is signed by one of those that the lab names',
    )
  }
})
