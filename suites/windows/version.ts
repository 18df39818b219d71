import { windowsTest } from 'guestcert/api'

/**
 * The builds by the versions that labs declare: https://learn.microsoft.com/en-us/windows/win32/sysinfo/operating-system-version
 * and https://learn.microsoft.com/en-us/windows-server/get-started/windows-server-release-info
 */
const builds: Readonly<Record<string, string>> = {
  '2003': '5.2.3790',
  '2003 R2': '5.2.3790',
  '2008': '6.0.6001',
  '2008 SP1': '6.0.6001',
  '2008 SP2': '6.0.6002',
  '2008 R2': '6.1.7600',
  '2008 R2 SP1': '6.1.7601',
  '2012': '6.2.9200',
  '2012 R2': '6.3.9600',
  '2016': '10.0.14393',
  '2019': '10.0.17763',
  '2022': '10.0.20348',
  '2025': '10.0.26100',
}

/** Server and domain controller; 1 is a workstation. */
const serverTypes = [2, 3]

/** What Windows says of itself in three places: its command interpreter, WMI and the registry. */
export default windowsTest(async ({ guest, environment, expect }) => {
  const { version, arch, edition } = environment.guest
  const pack = / SP(\d)$/.exec(version)?.[1]
  const build = builds[version] ?? builds[version.replace(/ SP\d$/, '')]
  const [[system], processors, registry] = await Promise.all([
    guest.wmi('Win32_OperatingSystem', {
      get: [
        'BuildNumber',
        'Caption',
        'OtherTypeDescription',
        'ProductType',
        'ServicePackMajorVersion',
        'Version',
      ],
    }),
    guest.wmi('Win32_Processor', { get: ['AddressWidth', 'DeviceID'] }),
    guest.registry('HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'),
  ])
  if (!expect(build).toMatch(/^\d/, `the build of Windows Server ${version} is known`)) return

  expect(guest.version.split('.').slice(0, 3).join('.')).toBe(build, 'the command interpreter says the build')
  expect(system?.Version).toBe(build, 'WMI says the same build')
  const current = registry?.values.get('CurrentBuildNumber') ?? registry?.values.get('CurrentBuild')
  expect(current?.value).toBe(build?.split('.')[2], 'the registry says the same build')
  expect(system?.ProductType).toBeOneOf(serverTypes, 'it is a server')
  expect(system?.Caption).toMatch(version.split(' ')[0] ?? version, 'its name has the version in it')
  if (pack !== undefined) {
    expect(system?.ServicePackMajorVersion).toBe(Number(pack), 'the service pack is the one declared')
  }
  if (version.startsWith('2003')) {
    const wanted = version.includes('R2') ? 'R2' : null
    expect(system?.OtherTypeDescription).toBe(wanted, 'it is R2 if it should be, and only then')
  }
  if (edition !== null) {
    expect(system?.Caption).toMatch(new RegExp(edition, 'i'), 'the edition is the one declared')
  }
  const widths = new Set(processors.map(({ AddressWidth }) => AddressWidth))
  expect([...widths]).toEqual([arch === 'i386' ? 32 : 64], 'the architecture is the one declared')
})
