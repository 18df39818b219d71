import type { WindowsPersona } from '../persona/schema.js'
import type { Registry } from '../store/registry.js'
import { isDriver, type Service } from '../store/services.js'
import { type Circumstances, compareNt, holds } from './nt.js'
import type { WindowsSystem } from './system.js'

const currentVersion = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'
const control = 'HKLM\\SYSTEM\\CurrentControlSet\\Control'
/** The profile of the local service account, which only administrators may open. */
const localService = 'HKU\\S-1-5-19'

/** Writes what setup writes, from the facts of the product; then what the persona says of single keys. */
export function writeRegistryFacts(
  persona: WindowsPersona,
  where: Circumstances,
  registry: Registry,
  installedSec: number,
): void {
  const { os, zone } = persona
  const text = (path: string, name: string, data: string | undefined): void => {
    if (data !== undefined) registry.set(path, name, 'REG_SZ', data)
  }
  text(currentVersion, 'ProductName', os.productName)
  text(currentVersion, 'CurrentVersion', compareNt(os.nt, '10.0') >= 0 ? '6.3' : os.nt)
  text(currentVersion, 'CurrentBuild', String(os.build))
  text(currentVersion, 'CurrentBuildNumber', String(os.build))
  text(currentVersion, 'BuildLab', os.buildLab)
  text(currentVersion, 'CurrentType', 'Multiprocessor Free')
  text(currentVersion, 'EditionID', os.editionId)
  text(currentVersion, 'InstallationType', os.installationType)
  text(currentVersion, 'ReleaseId', os.releaseId)
  text(currentVersion, 'DisplayVersion', os.displayVersion)
  text(currentVersion, 'CSDVersion', os.servicePack > 0 ? `Service Pack ${os.servicePack}` : undefined)
  text(currentVersion, 'ProductId', os.productId)
  text(currentVersion, 'RegisteredOwner', os.registeredOwner)
  text(currentVersion, 'RegisteredOrganization', '')
  text(currentVersion, 'SystemRoot', os.systemRoot)
  registry.set(currentVersion, 'InstallDate', 'REG_DWORD', installedSec)
  if (compareNt(os.nt, '10.0') >= 0) {
    registry.set(currentVersion, 'CurrentMajorVersionNumber', 'REG_DWORD', 10)
    registry.set(currentVersion, 'CurrentMinorVersionNumber', 'REG_DWORD', 0)
    registry.set(currentVersion, 'UBR', 'REG_DWORD', os.revision ?? 0)
  }
  registry.set(`${control}\\Windows`, 'CSDVersion', 'REG_DWORD', os.servicePack * 256)
  text(`${control}\\ProductOptions`, 'ProductType', 'ServerNT')
  text(
    `${control}\\TimeZoneInformation`,
    'TimeZoneKeyName',
    compareNt(os.nt, '6.0') >= 0 ? zone.key : undefined,
  )
  text(`${control}\\TimeZoneInformation`, 'StandardName', zone.standardName)
  text(`${control}\\TimeZoneInformation`, 'DaylightName', zone.daylightName)
  registry.set(`${control}\\TimeZoneInformation`, 'Bias', 'REG_DWORD', zone.biasMinutes >>> 0)
  text(`${control}\\Nls\\CodePage`, 'ACP', String(os.ansiCodePage))
  text(`${control}\\Nls\\CodePage`, 'OEMCP', String(os.oemCodePage))
  text(`${control}\\Nls\\Language`, 'InstallLanguage', os.locale)
  text('HKCU\\Control Panel\\International', 'Locale', `0000${os.locale}`)
  text('HKCU\\Control Panel\\International', 'sShortDate', 'M/d/yyyy')
  text('HKCU\\Control Panel\\International', 'sLanguage', 'ENU')
  writeCrashControl(registry, where)
  if (persona.powershell) {
    const old = Number(persona.powershell.version.split('.')[0]) < 3
    const key = `HKLM\\SOFTWARE\\Microsoft\\PowerShell\\${old ? '1' : '3'}`
    registry.set('HKLM\\SOFTWARE\\Microsoft\\PowerShell\\1', 'Install', 'REG_DWORD', 1)
    registry.set(key, 'Install', 'REG_DWORD', 1)
    text(`${key}\\PowerShellEngine`, 'PowerShellVersion', persona.powershell.version)
  }
  writePersonaKeys(persona, where, registry)
}

function writeCrashControl(registry: Registry, where: Circumstances): void {
  const key = `${control}\\CrashControl`
  registry.set(key, 'AutoReboot', 'REG_DWORD', 1)
  registry.set(key, 'CrashDumpEnabled', 'REG_DWORD', compareNt(where.nt, '6.2') >= 0 ? 7 : 2)
  registry.set(key, 'LogEvent', 'REG_DWORD', 1)
  registry.set(key, 'Overwrite', 'REG_DWORD', 1)
  registry.set(key, 'DumpFile', 'REG_EXPAND_SZ', '%SystemRoot%\\MEMORY.DMP')
  registry.set(key, 'MinidumpDir', 'REG_EXPAND_SZ', '%SystemRoot%\\Minidump')
}

function writePersonaKeys(persona: WindowsPersona, where: Circumstances, registry: Registry): void {
  for (const group of persona.registry) {
    if (!holds(group, where)) continue
    registry.make(group.key)
    for (const [name, value] of Object.entries(group.values)) {
      if (typeof value === 'string') registry.set(group.key, name, 'REG_SZ', value)
      else if ('dword' in value) registry.set(group.key, name, 'REG_DWORD', value.dword)
      else if ('qword' in value) registry.set(group.key, name, 'REG_QWORD', BigInt(value.qword))
      else if ('multi' in value) registry.set(group.key, name, 'REG_MULTI_SZ', value.multi)
      else if ('expand' in value) registry.set(group.key, name, 'REG_EXPAND_SZ', value.expand)
      else registry.set(group.key, name, 'REG_BINARY', Buffer.from(value.binary, 'hex'))
    }
  }
}

/** Writes what every boot writes anew: names, hardware, services, devices, and what waits for a reboot. */
export function writeVolatileKeys(system: WindowsSystem): void {
  const { registry, computerName, firmware, machine, devices, services, persona, where } = system
  const names = `${control}\\ComputerName`
  registry.set(`${names}\\ActiveComputerName`, 'ComputerName', 'REG_SZ', computerName)
  const renamed = persona.state.pendingReboot.includes('computer-name')
  registry.set(
    `${names}\\ComputerName`,
    'ComputerName',
    'REG_SZ',
    renamed ? `${computerName}-NEW` : computerName,
  )
  registry.set(
    'HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters',
    'Hostname',
    'REG_SZ',
    computerName.toLowerCase(),
  )
  const bios = 'HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS'
  if (compareNt(where.nt, '6.0') >= 0) {
    registry.set(bios, 'BIOSVendor', 'REG_SZ', firmware.biosVendor)
    registry.set(bios, 'BIOSVersion', 'REG_SZ', firmware.biosVersion)
    registry.set(bios, 'SystemManufacturer', 'REG_SZ', firmware.manufacturer)
    registry.set(bios, 'SystemProductName', 'REG_SZ', firmware.product)
  }
  if (compareNt(where.nt, '6.2') >= 0)
    registry.set(control, 'PEFirmwareType', 'REG_DWORD', where.firmware === 'uefi' ? 2 : 1)
  for (let cpu = 0; cpu < machine.live.vcpus; cpu++) {
    const key = `HKLM\\HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\${cpu}`
    registry.set(key, 'ProcessorNameString', 'REG_SZ', firmware.cpuName)
    registry.set(key, 'VendorIdentifier', 'REG_SZ', firmware.cpuVendor)
    registry.set(key, '~MHz', 'REG_DWORD', firmware.cpuMhz)
  }
  for (const service of services.values()) writeService(registry, service)
  for (const device of devices) {
    const key = `HKLM\\SYSTEM\\CurrentControlSet\\Enum\\${device.id}`
    registry.set(key, 'DeviceDesc', 'REG_SZ', device.name)
    registry.set(key, 'ClassGUID', 'REG_SZ', device.classGuid)
    if (device.service) registry.set(key, 'Service', 'REG_SZ', device.service)
    if (device.hardwareIds.length > 0) registry.set(key, 'HardwareID', 'REG_MULTI_SZ', device.hardwareIds)
  }
  if (!persona.state.elevated) registry.deny(localService)
  writePendingReboots(system)
}

function writeService(registry: Registry, service: Service): void {
  const key = `HKLM\\SYSTEM\\CurrentControlSet\\Services\\${service.name}`
  const starts = { boot: 0, system: 1, auto: 2, manual: 3, disabled: 4 } as const
  const types = { kernel: 1, filesystem: 2, own: 0x10, share: 0x20 } as const
  registry.set(key, 'DisplayName', 'REG_SZ', service.display)
  registry.set(
    key,
    'ImagePath',
    'REG_EXPAND_SZ',
    isDriver(service) ? service.path.replace(/^.*?\\system32/i, 'system32') : service.path,
  )
  registry.set(key, 'Start', 'REG_DWORD', starts[service.start])
  registry.set(key, 'Type', 'REG_DWORD', types[service.type])
  registry.set(key, 'ErrorControl', 'REG_DWORD', 1)
  if (service.account !== null) registry.set(key, 'ObjectName', 'REG_SZ', service.account)
  if (service.delayed) registry.set(key, 'DelayedAutostart', 'REG_DWORD', 1)
}

/** The places in which a reboot that is due is written down. */
function writePendingReboots({ registry, persona, where }: WindowsSystem): void {
  const { pendingReboot } = persona.state
  if (compareNt(where.nt, '6.0') >= 0 && pendingReboot.includes('cbs'))
    registry.make(
      'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending',
    )
  if (pendingReboot.includes('update'))
    registry.make(
      'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired',
    )
  if (pendingReboot.includes('rename'))
    registry.set(`${control}\\Session Manager`, 'PendingFileRenameOperations', 'REG_MULTI_SZ', [
      '\\??\\C:\\Windows\\Temp\\old.dll',
      '',
    ])
  else registry.make(`${control}\\Session Manager`)
}
