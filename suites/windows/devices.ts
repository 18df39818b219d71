import { windowsTest } from 'guestcert/api'

/** No Windows has fewer: processors, buses, disks, system devices. */
const fewest = 5

/**
 * Win32_PnPEntity.ConfigManagerErrorCode is 0 for a device that works
 * (https://learn.microsoft.com/en-us/windows/win32/cimwin32prov/win32-pnpentity). That no device with an error is found
 * says something only if devices are found at all.
 */
export default windowsTest(async ({ guest, expect, measure }) => {
  const [devices, faulty] = await Promise.all([
    guest.devices(),
    guest.wmi('Win32_PnPEntity', { get: ['DeviceID'], where: 'ConfigManagerErrorCode <> 0' }),
  ])
  measure('devices', devices.length)
  const seesAny = expect(devices.length).toBeAtLeast(fewest, 'devices can be asked for at all')
  if (!seesAny) return
  const errors = devices.filter(({ errorCode }) => errorCode !== 0)
  expect(errors.map(({ id, name, errorCode }) => ({ id, name, errorCode }))).toEqual(
    [],
    'no device has an error',
  )
  expect(faulty.length).toBe(errors.length, 'asking for those with errors alone gives as many')
})
