import { windowsTest } from 'guestcert/api'

const stopError = 1001
/** Who says it: since 2008, and before. */
const providers = ['BugCheck', 'Microsoft-Windows-WER-SystemErrorReporting', 'Save Dump']

/**
 * After a stop error Windows leaves event 1001 and a dump
 * (https://learn.microsoft.com/en-us/troubleshoot/windows-server/performance/memory-dump-file-options). That none is
 * found says something only if the log and the folder can be looked into.
 */
export default windowsTest(async ({ guest, expect }) => {
  const [any, stops, kernel, dump, small] = await Promise.all([
    guest.events('System', { ids: [6005], count: 1 }),
    guest.events('System', { ids: [stopError], providers, count: 10 }),
    guest.run('if exist "%SystemRoot%\\System32\\ntoskrnl.exe" echo gc-there'),
    guest.run('if exist "%SystemRoot%\\MEMORY.DMP" echo gc-there'),
    guest.run('if exist "%SystemRoot%\\Minidump\\*.dmp" echo gc-there'),
  ])
  expect(any.length).toBe(1, 'the system log can be read')
  expect(stops.map(({ at, data }) => `${at.toISOString()} ${data[0] ?? ''}`)).toEqual(
    [],
    'it has no stop error',
  )
  expect(kernel.stdout).toMatch('gc-there', 'files of Windows can be looked for')
  expect(dump.stdout.trim()).toBe('', 'there is no memory dump')
  expect(small.stdout.trim()).toBe('', 'there is no small dump')
})
