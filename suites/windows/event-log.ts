import { windowsTest } from 'guestcert/api'

const clockSlackMs = 60_000
/** Disks, file systems, memory and the drivers of virtual hardware. Names of providers are compared as they are. */
const hardware = [
  'disk',
  'Disk',
  'Ntfs',
  'Microsoft-Windows-Ntfs',
  'ftdisk',
  'volmgr',
  'atapi',
  'storahci',
  'stornvme',
  'storvsc',
  'vioscsi',
  'viostor',
  'netkvm',
  'netvsc',
  'xenvbd',
  'xennet',
  'Microsoft-Windows-WHEA-Logger',
]
/** A dirty shutdown is told by a test of its own. */
const toldElsewhere = 41

/** Level 1 is critical, 2 is error (https://learn.microsoft.com/en-us/windows/win32/wes/eventschema-level-systempropertiestype-element). */
export default windowsTest(async ({ guest, expect, measure }) => {
  const [system] = await guest.wmi('Win32_OperatingSystem', { get: ['LastBootUpTime'] })
  const bootedAt = system?.LastBootUpTime
  if (!expect(bootedAt instanceof Date).toBe(true, 'the boot’s time is known') || !(bootedAt instanceof Date))
    return
  const since = new Date(bootedAt.getTime() - clockSlackMs)
  const [all, critical, broken] = await Promise.all([
    guest.events('System', { since, count: 200 }),
    guest.events('System', { since, levels: [1] }),
    guest.events('System', { since, levels: [1, 2], providers: hardware }),
  ])
  measure('events', all.length)
  if (!expect(all.length).toBeGreaterThan(0, 'the system log has events since the boot')) return
  const told = critical.filter(({ id }) => id !== toldElsewhere)
  expect(told.map(({ id, provider }) => `${id} ${provider}`)).toEqual([], 'none of them is critical')
  expect(broken.map(({ id, provider }) => `${id} ${provider}`)).toEqual(
    [],
    'no disk, memory or driver reports an error',
  )
})
