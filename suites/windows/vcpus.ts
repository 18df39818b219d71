import { windowsTest } from 'guestcert/api'

/**
 * Win32_ComputerSystem.NumberOfLogicalProcessors counts what Windows uses, from 2008 on; before, each processor is an
 * object of Win32_Processor (https://learn.microsoft.com/en-us/windows/win32/cimwin32prov/win32-processor).
 */
export default windowsTest(async ({ guest, environment, expect }) => {
  const wanted = environment.configuration.vcpus
  const [[computer], processors] = await Promise.all([
    guest.wmi('Win32_ComputerSystem', { get: ['NumberOfLogicalProcessors', 'NumberOfProcessors'] }),
    guest.wmi('Win32_Processor', { get: ['DeviceID', 'NumberOfLogicalProcessors', 'Status'] }),
  ])
  const used = computer?.NumberOfLogicalProcessors ?? computer?.NumberOfProcessors
  expect(used).toBe(wanted, 'Windows uses as many virtual CPUs as the lab gives it')
  const each = processors.map(({ NumberOfLogicalProcessors: logical }) => Number(logical ?? 1))
  expect(each.reduce((sum, count) => sum + count, 0)).toBe(wanted, 'they are all there, package by package')
  const states = new Set(processors.map(({ Status }) => Status))
  expect([...states]).toEqual(['OK'], 'each of them works')
})
