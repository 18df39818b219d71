import { windowsTest } from 'guestcert/api'

const logStarted = 6005
const unexpected = [41, 6008]
/** Events of a boot may bear times from before the clock was set. */
const clockSlackMs = 60_000

/**
 * At each boot the event log says 6005, and 6008 if the shutdown before was not in order; from 2008 R2 on the kernel says
 * 41 as well (https://learn.microsoft.com/en-us/troubleshoot/windows-client/performance/event-id-41-restart).
 */
export default windowsTest(async ({ guest, expect }) => {
  const [[system], [started]] = await Promise.all([
    guest.wmi('Win32_OperatingSystem', { get: ['LastBootUpTime'] }),
    guest.events('System', { ids: [logStarted], providers: ['EventLog'], count: 1 }),
  ])
  const bootedAt = system?.LastBootUpTime
  const isKnown = expect(bootedAt instanceof Date && started !== undefined).toBe(
    true,
    'the boot and its event 6005 can be found',
  )
  if (!isKnown || !(bootedAt instanceof Date)) return
  const dirty = await guest.events('System', {
    ids: unexpected,
    providers: ['EventLog', 'Microsoft-Windows-Kernel-Power'],
    since: new Date(bootedAt.getTime() - clockSlackMs),
  })
  expect(dirty.map(({ id, provider }) => `${id} ${provider}`)).toEqual(
    [],
    'the shutdown before this boot was in order',
  )
})
