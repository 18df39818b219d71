import { compareNt } from '../../system/nt.js'
import { bootedMs, type WindowsSystem } from '../../system/system.js'
import { CimDate, type Row } from '../values.js'

/** Memory that Windows can use, in bytes: what was given, less what the firmware keeps. */
export function visibleBytes({ machine, persona }: WindowsSystem): number {
  return Math.max(64 * 2 ** 20, machine.hardware.memoryBytes - persona.memory.reservedBytes)
}

/** The version as WMI has it: `10.0.20348`. */
export function versionOf({ persona }: WindowsSystem): string {
  return `${persona.os.nt}.${persona.os.build}`
}

function operatingSystem(system: WindowsSystem): readonly Row[] {
  const { persona, clock, zone, computerName, processes, where } = system
  const { os } = persona
  const totalKib = Math.floor(visibleBytes(system) / 1024)
  const pageKib = persona.memory.pageFileMiB * 1024
  const drive = os.systemRoot.slice(0, 2)
  const precise = compareNt(where.nt, '6.0') >= 0
  const now = clock.wallMs()
  return [
    {
      BootDevice: '\\Device\\HarddiskVolume1',
      BuildNumber: String(os.build),
      BuildType: 'Multiprocessor Free',
      Caption: os.caption,
      CodeSet: String(os.ansiCodePage),
      CountryCode: '1',
      CreationClassName: 'Win32_OperatingSystem',
      CSCreationClassName: 'Win32_ComputerSystem',
      CSDVersion: os.servicePack > 0 ? `Service Pack ${os.servicePack}` : null,
      CSName: computerName,
      CurrentTimeZone: zone.offsetMinutes(now),
      DataExecutionPrevention_32BitApplications: true,
      DataExecutionPrevention_Available: true,
      DataExecutionPrevention_Drivers: true,
      DataExecutionPrevention_SupportPolicy: 3,
      Debug: false,
      Description: '',
      Distributed: false,
      EncryptionLevel: 256,
      ForegroundApplicationBoost: 2,
      FreePhysicalMemory: Math.floor(totalKib * 0.7),
      FreeSpaceInPagingFiles: pageKib,
      FreeVirtualMemory: Math.floor(totalKib * 0.7) + pageKib,
      InstallDate: new CimDate(zone.parse(os.installed), zone, 0),
      LargeSystemCache: 1,
      LastBootUpTime: new CimDate(bootedMs(system), zone, precise ? 500_000 : undefined),
      LocalDateTime: new CimDate(now, zone),
      Locale: os.locale,
      Manufacturer: 'Microsoft Corporation',
      MaxNumberOfProcesses: 4_294_967_295,
      MaxProcessMemorySize:
        os.bits === 64 ? (compareNt(where.nt, '6.3') >= 0 ? 137_438_953_344n : 8_589_934_464n) : 2_097_024n,
      MUILanguages: ['en-US'],
      Name: `${os.caption}|${os.systemRoot}|\\Device\\Harddisk0\\Partition${precise ? '2' : '1'}`,
      NumberOfLicensedUsers: precise ? 0 : 5,
      NumberOfProcesses: processes.list().length,
      NumberOfUsers: 2,
      OperatingSystemSKU: os.sku ?? null,
      Organization: '',
      OSArchitecture: `${os.bits}-bit`,
      OSLanguage: 1033,
      OSProductSuite: os.suiteMask,
      OSType: 18,
      OtherTypeDescription: os.otherType ?? null,
      PAEEnabled: os.bits === 32 ? true : null,
      PortableOperatingSystem: false,
      Primary: true,
      ProductType: 3,
      RegisteredUser: os.registeredOwner,
      SerialNumber: os.productId,
      ServicePackMajorVersion: os.servicePack,
      ServicePackMinorVersion: 0,
      SizeStoredInPagingFiles: pageKib,
      Status: 'OK',
      SuiteMask: os.suiteMask,
      SystemDevice: `\\Device\\HarddiskVolume${precise ? '2' : '1'}`,
      SystemDirectory: `${os.systemRoot}\\system32`,
      SystemDrive: drive,
      TotalVirtualMemorySize: totalKib + pageKib,
      TotalVisibleMemorySize: totalKib,
      Version: versionOf(system),
      WindowsDirectory: os.systemRoot,
    },
  ]
}

function computerSystem(system: WindowsSystem): readonly Row[] {
  const { machine, firmware, zone, clock, computerName, persona, where } = system
  const now = clock.wallMs()
  const { vcpus } = machine.live
  return [
    {
      AdminPasswordStatus: compareNt(where.nt, '6.0') >= 0 ? 3 : 1,
      AutomaticManagedPagefile: true,
      AutomaticResetBootOption: true,
      AutomaticResetCapability: true,
      BootROMSupported: true,
      BootupState: 'Normal boot',
      Caption: computerName,
      CreationClassName: 'Win32_ComputerSystem',
      CurrentTimeZone: zone.offsetMinutes(now),
      DaylightInEffect: zone.facts.daylight === 'none' ? null : zone.isDaylight(now),
      Description: 'AT/AT COMPATIBLE',
      DNSHostName: computerName,
      Domain: 'WORKGROUP',
      DomainRole: 2,
      EnableDaylightSavingsTime: true,
      FrontPanelResetStatus: 3,
      HypervisorPresent: where.hypervisor !== 'none',
      InfraredSupported: false,
      Manufacturer: firmware.manufacturer,
      Model: firmware.product,
      Name: computerName,
      NetworkServerModeEnabled: true,
      NumberOfLogicalProcessors: vcpus,
      NumberOfProcessors: vcpus,
      PartOfDomain: false,
      PauseAfterReset: -1,
      PCSystemType: 1,
      PowerState: 0,
      PrimaryOwnerName: persona.os.registeredOwner,
      ResetCapability: 1,
      Roles: ['LM_Workstation', 'LM_Server', 'NT', 'Server_NT'],
      Status: 'OK',
      SystemType: persona.os.bits === 64 ? 'x64-based PC' : 'X86-based PC',
      ThermalState: 3,
      TotalPhysicalMemory: visibleBytes(system),
      UserName: null,
      WakeUpType: 6,
      Workgroup: 'WORKGROUP',
    },
  ]
}

function timeZone({ zone }: WindowsSystem): readonly Row[] {
  const { biasMinutes, caption, standardName, daylightName, daylight } = zone.facts
  return [
    {
      Bias: -biasMinutes,
      Caption: caption,
      DaylightBias: daylight === 'none' ? 0 : -60,
      DaylightName: daylightName,
      Description: caption,
      StandardBias: 0,
      StandardName: standardName,
    },
  ]
}

function time(offset: (system: WindowsSystem) => number) {
  return (system: WindowsSystem): readonly Row[] => {
    const date = new Date(system.clock.wallMs() + offset(system) * 60_000)
    return [
      {
        Day: date.getUTCDate(),
        DayOfWeek: date.getUTCDay(),
        Hour: date.getUTCHours(),
        Milliseconds: null,
        Minute: date.getUTCMinutes(),
        Month: date.getUTCMonth() + 1,
        Quarter: Math.floor(date.getUTCMonth() / 3) + 1,
        Second: date.getUTCSeconds(),
        WeekInMonth: Math.ceil(date.getUTCDate() / 7),
        Year: date.getUTCFullYear(),
      },
    ]
  }
}

/** Operating system, computer, time. */
export const productProviders: Readonly<Record<string, (system: WindowsSystem) => readonly Row[]>> = {
  Win32_OperatingSystem: operatingSystem,
  Win32_ComputerSystem: computerSystem,
  Win32_TimeZone: timeZone,
  Win32_LocalTime: time(({ zone, clock }) => zone.offsetMinutes(clock.wallMs())),
  Win32_UTCTime: time(() => 0),
}
