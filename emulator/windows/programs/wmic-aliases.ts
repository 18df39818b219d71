/** A name that wmic has for a class, some with a condition of their own. */
export interface Alias {
  readonly className: string
  readonly where?: string
}

/** The aliases of wmic. See learn.microsoft.com/windows/win32/wmisdk/wmic and `wmic alias list brief`. */
export const wmicAliases: Readonly<Record<string, Alias>> = {
  baseboard: { className: 'Win32_BaseBoard' },
  bios: { className: 'Win32_BIOS' },
  computersystem: { className: 'Win32_ComputerSystem' },
  cpu: { className: 'Win32_Processor' },
  csproduct: { className: 'Win32_ComputerSystemProduct' },
  datafile: { className: 'CIM_DataFile' },
  diskdrive: { className: 'Win32_DiskDrive' },
  environment: { className: 'Win32_Environment' },
  logicaldisk: { className: 'Win32_LogicalDisk' },
  memorychip: { className: 'Win32_PhysicalMemory' },
  nic: { className: 'Win32_NetworkAdapter' },
  nicconfig: { className: 'Win32_NetworkAdapterConfiguration' },
  ntevent: { className: 'Win32_NTLogEvent' },
  nteventlog: { className: 'Win32_NTEventlogFile' },
  os: { className: 'Win32_OperatingSystem' },
  pagefile: { className: 'Win32_PageFileUsage' },
  pagefileset: { className: 'Win32_PageFileSetting' },
  partition: { className: 'Win32_DiskPartition' },
  process: { className: 'Win32_Process' },
  qfe: { className: 'Win32_QuickFixEngineering' },
  recoveros: { className: 'Win32_OSRecoveryConfiguration' },
  service: { className: 'Win32_Service' },
  sysdriver: { className: 'Win32_SystemDriver' },
  systemenclosure: { className: 'Win32_SystemEnclosure' },
  timezone: { className: 'Win32_TimeZone' },
  useraccount: { className: 'Win32_UserAccount' },
  volume: { className: 'Win32_Volume' },
}
