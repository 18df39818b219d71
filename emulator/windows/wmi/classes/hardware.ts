import { compareNt } from '../../system/nt.js'
import type { WindowsSystem } from '../../system/system.js'
import type { Row, WmiValue } from '../values.js'

function product({ firmware }: WindowsSystem): readonly Row[] {
  return [
    {
      Caption: 'Computer System Product',
      Description: 'Computer System Product',
      IdentifyingNumber: firmware.serial,
      Name: firmware.product,
      SKUNumber: null,
      UUID: firmware.uuid,
      Vendor: firmware.manufacturer,
      Version: firmware.productVersion,
    },
  ]
}

function bios({ firmware }: WindowsSystem): readonly Row[] {
  const [month = '01', day = '01', year = '2014'] = firmware.biosDate.split('/')
  const name = `${firmware.biosVendor} - ${firmware.biosVersion}`
  return [
    {
      BIOSVersion: [firmware.biosVersion],
      Caption: name,
      CurrentLanguage: null,
      Description: name,
      Manufacturer: firmware.biosVendor,
      Name: name,
      PrimaryBIOS: true,
      // WMI gives it in UTC, whatever the zone.
      ReleaseDate: `${year}${month.padStart(2, '0')}${day.padStart(2, '0')}000000.000000+000`,
      SerialNumber: firmware.serial,
      SMBIOSBIOSVersion: firmware.biosVersion,
      SMBIOSMajorVersion: 2,
      SMBIOSMinorVersion: 8,
      SMBIOSPresent: true,
      SoftwareElementID: name,
      SoftwareElementState: 3,
      Status: 'OK',
      TargetOperatingSystem: 0,
      Version: firmware.biosVersion,
    },
  ]
}

function processor({ firmware, machine, computerName, persona }: WindowsSystem): readonly Row[] {
  const { os } = persona
  const family = os.bits === 64 ? (firmware.cpuVendor === 'AuthenticAMD' ? 'AMD64' : 'Intel64') : 'x86'
  const caption = `${family} Family ${firmware.cpuFamily} Model ${firmware.cpuModel} Stepping ${firmware.cpuStepping}`
  return Array.from({ length: machine.live.vcpus }, (_, index) => ({
    AddressWidth: os.bits,
    Architecture: os.bits === 64 ? 9 : 0,
    Availability: 3,
    Caption: caption,
    CpuStatus: 1,
    CreationClassName: 'Win32_Processor',
    CurrentClockSpeed: firmware.cpuMhz,
    DataWidth: os.bits,
    Description: caption,
    DeviceID: `CPU${index}`,
    Family: 1,
    L2CacheSize: null,
    L3CacheSize: 0,
    Level: firmware.cpuFamily,
    LoadPercentage: 1,
    Manufacturer: firmware.cpuVendor,
    MaxClockSpeed: firmware.cpuMhz,
    Name: firmware.cpuName,
    NumberOfCores: 1,
    NumberOfEnabledCore: 1,
    NumberOfLogicalProcessors: 1,
    ProcessorId: '078BFBFD00000663',
    ProcessorType: 3,
    Revision: firmware.cpuModel * 256 + firmware.cpuStepping,
    Role: 'CPU',
    SocketDesignation: `CPU ${index}`,
    Status: 'OK',
    StatusInfo: 3,
    Stepping: String(firmware.cpuStepping),
    SystemName: computerName,
    ThreadCount: 1,
    UpgradeMethod: 6,
    Version: '',
    VirtualizationFirmwareEnabled: false,
    VMMonitorModeExtensions: false,
  }))
}

/** SMBIOS describes memory in modules of 16 GiB at most, as QEMU does. */
function memory({ machine, firmware }: WindowsSystem): readonly Row[] {
  const most = 16 * 2 ** 30
  const rows: Row[] = []
  for (let left = machine.hardware.memoryBytes; left > 0; left -= most) {
    const index = rows.length
    rows.push({
      BankLabel: '',
      Capacity: Math.min(left, most),
      Caption: 'Physical Memory',
      Description: 'Physical Memory',
      DeviceLocator: `DIMM ${index}`,
      FormFactor: 8,
      Manufacturer: firmware.manufacturer,
      MemoryType: 9,
      Name: 'Physical Memory',
      Speed: null,
      Tag: `Physical Memory ${index}`,
      TypeDetail: 2,
    })
  }
  return rows
}

function entities(system: WindowsSystem): readonly Row[] {
  return system.devices.map(device => ({
    Caption: device.name,
    ClassGuid: device.classGuid,
    CompatibleID: device.compatibleIds.length > 0 ? device.compatibleIds : null,
    ConfigManagerErrorCode: device.errorCode,
    ConfigManagerUserConfig: false,
    CreationClassName: 'Win32_PnPEntity',
    Description: device.name,
    DeviceID: device.id,
    HardwareID: device.hardwareIds.length > 0 ? device.hardwareIds : null,
    Manufacturer: device.manufacturer,
    Name: device.name,
    PNPClass: device.class,
    PNPDeviceID: device.id,
    Present: true,
    Service: device.service,
    Status: device.status,
    SystemName: system.computerName,
  }))
}

function signedDrivers({ devices }: WindowsSystem): readonly Row[] {
  return devices.map((device, index): Row => {
    const { driver } = device
    const base: Record<string, WmiValue> = {
      ClassGuid: device.classGuid,
      DeviceClass: device.class.toUpperCase(),
      DeviceID: device.id,
      DeviceName: device.name,
      Manufacturer: device.manufacturer,
      PDO: `\\Device\\${String(index).padStart(8, '0')}`,
      HardWareID: device.hardwareIds[0] ?? null,
      CompatID: device.compatibleIds[0] ?? null,
      Description: device.name,
    }
    if (!driver) return base
    return {
      ...base,
      // Dates of drivers are days, in UTC.
      DriverDate: `${driver.date.replaceAll('-', '')}000000.******+***`,
      DriverProviderName: driver.provider,
      DriverVersion: driver.version,
      InfName: driver.inf,
      IsSigned: driver.signed,
      Signer: driver.signer,
      FriendlyName: device.role === 'nic' ? device.name : null,
    }
  })
}

function video({ devices }: WindowsSystem): readonly Row[] {
  return devices
    .filter(device => device.role === 'display')
    .map((device, index) => ({
      Caption: device.name,
      ConfigManagerErrorCode: device.errorCode,
      Description: device.name,
      DeviceID: `VideoController${index + 1}`,
      DriverVersion: device.driver?.version ?? null,
      Name: device.name,
      PNPDeviceID: device.id,
      Status: device.status,
    }))
}

/** Firmware, processors, memory, devices and their drivers. */
export const hardwareProviders: Readonly<Record<string, (system: WindowsSystem) => readonly Row[]>> = {
  Win32_ComputerSystemProduct: product,
  Win32_BIOS: bios,
  Win32_BaseBoard: ({ firmware }) => [
    {
      Caption: 'Base Board',
      Manufacturer: firmware.manufacturer,
      Product: firmware.board,
      Status: 'OK',
      Tag: 'Base Board',
    },
  ],
  Win32_SystemEnclosure: ({ firmware }) => [
    {
      Caption: 'System Enclosure',
      ChassisTypes: [1],
      Manufacturer: firmware.manufacturer,
      SerialNumber: firmware.serial,
      Tag: 'System Enclosure 0',
      Version: firmware.productVersion,
    },
  ],
  Win32_Processor: processor,
  Win32_PhysicalMemory: memory,
  Win32_PnPEntity: entities,
  Win32_PnPSignedDriver: signedDrivers,
  Win32_VideoController: video,
  Win32_Tpm: ({ where, persona }) =>
    where.firmware === 'uefi' && compareNt(persona.os.nt, '10.0') >= 0 && where.hypervisor === 'hyper-v'
      ? [
          {
            IsActivated_InitialValue: true,
            IsEnabled_InitialValue: true,
            ManufacturerId: 1_297_303_124,
            SpecVersion: '2.0, 0, 1.16',
          },
        ]
      : [],
}
