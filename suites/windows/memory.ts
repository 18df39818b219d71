import { windowsTest } from 'guestcert/api'

const mebibyte = 1024 * 1024
/** Firmware and devices keep some for themselves: video memory, tables, on UEFI more. */
const mostReservedBytes = 192 * mebibyte
const mostReservedPart = 0.04

/** Win32_ComputerSystem.TotalPhysicalMemory: what firmware leaves to Windows, in bytes. */
export default windowsTest(async ({ guest, environment, expect, measure }) => {
  const given = Number(environment.configuration.memoryBytes)
  const [[computer], [system]] = await Promise.all([
    guest.wmi('Win32_ComputerSystem', { get: ['TotalPhysicalMemory'] }),
    guest.wmi('Win32_OperatingSystem', { get: ['TotalVisibleMemorySize'] }),
  ])
  const seen = Number(computer?.TotalPhysicalMemory ?? Number.NaN)
  const least = given - Math.max(mostReservedBytes, given * mostReservedPart)
  const held = expect(seen).toBeWithin(
    least,
    given,
    'the memory is what the lab gives, less what firmware keeps',
  )
  if (!held) return
  measure('memory', seen / mebibyte)
  const visible = Number(system?.TotalVisibleMemorySize ?? Number.NaN) * 1024
  expect(visible).toBeWithin(least, given, 'Windows can use all of it')
})
