import type { WindowsMachine } from '../../remote/index.js'
import { readActivation } from './activation.js'
import { queryWmi, type WmiObject } from './wmi.js'

const maxLength = 300

/** What a Windows guest says of itself, asked for together. It is not trusted: cleaned and cut to size. */
export async function readWindowsFacts(
  machine: WindowsMachine,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const ask = (name: string, get: readonly string[], where?: string): Promise<WmiObject[]> =>
    queryWmi(machine, name, { get, signal, ...(where === undefined ? {} : { where }) })
  const [systems, computers, bios, products, zones, pageFiles, activation] = await Promise.all([
    ask('Win32_OperatingSystem', [
      'Caption',
      'Version',
      'CSDVersion',
      'OSArchitecture',
      'Locale',
      'OSLanguage',
      'CurrentTimeZone',
    ]),
    ask('Win32_ComputerSystem', ['Manufacturer', 'Model', 'TotalPhysicalMemory', 'BootupState']),
    ask('Win32_BIOS', ['SMBIOSBIOSVersion']),
    ask('Win32_ComputerSystemProduct', ['UUID']),
    ask('Win32_TimeZone', ['StandardName']),
    ask('Win32_PageFileUsage', ['Name', 'AllocatedBaseSize']),
    // What it is licensed for is worth knowing, and no reason not to test it.
    readActivation(machine, signal).catch(() => null),
  ])
  const [system, computer] = [systems[0], computers[0]]
  const pageFileMiB = pageFiles.map(({ AllocatedBaseSize }) => Number(AllocatedBaseSize ?? 0))
  const raw: Record<string, unknown> = {
    os: system?.Caption,
    'os.version': system?.Version,
    'os.servicepack': system?.CSDVersion,
    'os.architecture': system?.OSArchitecture,
    'os.locale': system?.Locale,
    'os.language': system?.OSLanguage,
    'os.ver': machine.look.version,
    'time.zone': zones[0]?.StandardName,
    'time.offset': system?.CurrentTimeZone,
    memory: computer?.TotalPhysicalMemory,
    'boot.state': computer?.BootupState,
    'dmi.vendor': computer?.Manufacturer,
    'dmi.product': computer?.Model,
    'dmi.bios': bios[0]?.SMBIOSBIOSVersion,
    'dmi.uuid': products[0]?.UUID,
    'pagefile.mib': pageFileMiB.reduce((sum, size) => sum + size, 0),
    'activation.state': activation?.state ?? 'unknown',
    'activation.days': activation?.daysLeft === null ? undefined : activation?.daysLeft,
    'shell.login': machine.login,
    'shell.powershell': machine.hasPowerShell
      ? machine.look.powershell
      : machine.look.powershell === null
        ? 'none'
        : `${machine.look.powershell}, which does not serve`,
    'shell.codepage': machine.look.codePage,
    'shell.files': await machine.fileWay(),
  }
  const said = Object.entries(raw).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(said.map(([name, value]) => [name, clean(String(value))]))
}

function clean(text: string): string {
  return text
    .trim()
    .replace(/[^\x20-\x7e\u00a0-\ud7ff]/g, '?')
    .slice(0, maxLength)
}
