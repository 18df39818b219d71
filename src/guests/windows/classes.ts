/**
 * The WMI classes that we ask for, with the types of their properties, so that a property has the same type whoever
 * answered: PowerShell, or `wmic`, which prints text alone. From the pages of each class at
 * https://learn.microsoft.com/en-us/windows/win32/cimwin32prov/ unless said otherwise.
 */

/** The CIM types that occur. 64-bit numbers become `bigint`, times `Date`. */
export type CimType =
  | 'string'
  | 'boolean'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'sint16'
  | 'sint32'
  | 'datetime'
  | 'string[]'
  | 'uint16[]'

/** A property: its type, and the version of Windows since which it is there, as `major.minor`. */
export type PropertyType = CimType | { readonly type: CimType; readonly since: string }

/** One class. */
export interface WmiClass {
  readonly namespace?: string
  readonly since?: string
  /** The first version of Windows that has the class no more. */
  readonly until?: string
  readonly properties: Readonly<Record<string, PropertyType>>
}

const vista = '6.0'

/** The classes by name. */
export const wmiClasses: Readonly<Record<string, WmiClass>> = {
  Win32_OperatingSystem: {
    properties: {
      BuildNumber: 'string',
      BuildType: 'string',
      Caption: 'string',
      CSDVersion: 'string',
      CurrentTimeZone: 'sint16',
      LastBootUpTime: 'datetime',
      LocalDateTime: 'datetime',
      Locale: 'string',
      OperatingSystemSKU: { type: 'uint32', since: vista },
      OSArchitecture: { type: 'string', since: vista },
      OSLanguage: 'uint32',
      OtherTypeDescription: 'string',
      ProductType: 'uint32',
      ServicePackMajorVersion: 'uint16',
      TotalVisibleMemorySize: 'uint64',
      Version: 'string',
    },
  },
  Win32_ComputerSystem: {
    properties: {
      BootupState: 'string',
      HypervisorPresent: { type: 'boolean', since: '6.2' },
      Manufacturer: 'string',
      Model: 'string',
      Name: 'string',
      NumberOfLogicalProcessors: { type: 'uint32', since: vista },
      NumberOfProcessors: 'uint32',
      TotalPhysicalMemory: 'uint64',
    },
  },
  Win32_ComputerSystemProduct: {
    properties: { IdentifyingNumber: 'string', UUID: 'string', Vendor: 'string' },
  },
  Win32_BIOS: { properties: { Manufacturer: 'string', SMBIOSBIOSVersion: 'string', SerialNumber: 'string' } },
  Win32_Processor: {
    properties: {
      AddressWidth: 'uint16',
      DeviceID: 'string',
      Manufacturer: 'string',
      Name: 'string',
      NumberOfCores: { type: 'uint32', since: vista },
      NumberOfLogicalProcessors: { type: 'uint32', since: vista },
      Status: 'string',
    },
  },
  Win32_PnPEntity: {
    properties: {
      ConfigManagerErrorCode: 'uint32',
      DeviceID: 'string',
      HardwareID: { type: 'string[]', since: vista },
      Manufacturer: 'string',
      Name: 'string',
      Service: 'string',
    },
  },
  Win32_PnPSignedDriver: {
    properties: {
      DeviceClass: 'string',
      DeviceID: 'string',
      DeviceName: 'string',
      DriverProviderName: 'string',
      DriverVersion: 'string',
      InfName: 'string',
      IsSigned: 'boolean',
      Signer: 'string',
    },
  },
  Win32_Service: {
    properties: {
      DisplayName: 'string',
      ExitCode: 'uint32',
      Name: 'string',
      PathName: 'string',
      ProcessId: 'uint32',
      StartMode: 'string',
      State: 'string',
    },
  },
  Win32_NetworkAdapter: {
    properties: {
      AdapterType: 'string',
      DeviceID: 'string',
      MACAddress: 'string',
      Name: 'string',
      NetConnectionStatus: 'uint16',
      PNPDeviceID: 'string',
      ServiceName: 'string',
    },
  },
  Win32_DiskDrive: {
    properties: {
      Caption: 'string',
      DeviceID: 'string',
      InterfaceType: 'string',
      PNPDeviceID: 'string',
      SerialNumber: { type: 'string', since: vista },
      Size: 'uint64',
      Status: 'string',
    },
  },
  Win32_LogicalDisk: {
    properties: {
      DeviceID: 'string',
      DriveType: 'uint32',
      FileSystem: 'string',
      FreeSpace: 'uint64',
      Size: 'uint64',
    },
  },
  Win32_PageFileUsage: {
    properties: { AllocatedBaseSize: 'uint32', CurrentUsage: 'uint32', Name: 'string' },
  },
  Win32_Process: {
    properties: { CommandLine: 'string', Name: 'string', ProcessId: 'uint32', SessionId: 'uint32' },
  },
  Win32_TimeZone: { properties: { Bias: 'sint32', StandardName: 'string' } },
  Win32_QuickFixEngineering: { properties: { Description: 'string', HotFixID: 'string' } },
  /** Before 2008, where there is no wevtutil. */
  Win32_NTLogEvent: {
    properties: {
      EventCode: 'uint16',
      EventType: 'uint8',
      InsertionStrings: 'string[]',
      Logfile: 'string',
      RecordNumber: 'uint32',
      SourceName: 'string',
      TimeGenerated: 'datetime',
    },
  },
  /** Activation on 2003: https://learn.microsoft.com/en-us/previous-versions/windows/desktop/legacy/aa394520(v=vs.85) */
  Win32_WindowsProductActivation: {
    until: vista,
    properties: {
      ActivationRequired: 'uint32',
      RemainingEvaluationPeriod: 'uint32',
      RemainingGracePeriod: 'uint32',
    },
  },
  /** https://learn.microsoft.com/en-us/previous-versions/windows/desktop/sppwmi/softwarelicensingproduct */
  SoftwareLicensingProduct: {
    since: vista,
    properties: {
      Description: 'string',
      GracePeriodRemaining: 'uint32',
      LicenseStatus: 'uint32',
      Name: 'string',
      PartialProductKey: 'string',
    },
  },
}
