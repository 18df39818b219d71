import type { WindowsMachine } from '../../remote/index.js'
import { unanswered } from './failure.js'
import { queryWmi } from './wmi.js'

/** What a Windows guest calls itself. */
export interface WindowsRelease {
  readonly isServer: boolean
  /** As labs write it: `2008 R2 SP1`. */
  readonly version: string
  readonly caption: string
}

/** Win32_OperatingSystem, ProductType: 1 is a workstation. */
const workstation = 1

/** Reads which Windows it is. Throws InfraError. */
export async function readWindowsRelease(
  machine: WindowsMachine,
  signal: AbortSignal,
): Promise<WindowsRelease> {
  const get = ['Caption', 'ProductType', 'ServicePackMajorVersion', 'OtherTypeDescription']
  const [system] = await queryWmi(machine, 'Win32_OperatingSystem', { get, signal })
  const caption = String(system?.Caption ?? '').trim()
  const year = /\b(20\d\d)\b/.exec(caption)?.[1]
  if (system === undefined || year === undefined) {
    throw unanswered(machine, `its Caption names no version: "${caption.slice(0, 80)}"`)
  }
  // 2003 R2 says so beside its name.
  const isSecond = [caption, String(system.OtherTypeDescription ?? '')].some(text => /\bR2\b/.test(text))
  const pack = Number(system.ServicePackMajorVersion ?? 0)
  const parts = [year, ...(isSecond ? ['R2'] : []), ...(pack > 0 ? [`SP${pack}`] : [])]
  return { isServer: Number(system.ProductType) !== workstation, version: parts.join(' '), caption }
}

/** Bytes free on the drive that temporary files are on, and which that is. Throws InfraError. */
export async function readWindowsFreeSpace(
  machine: WindowsMachine,
  signal: AbortSignal,
): Promise<{ readonly freeBytes: number; readonly folder: string }> {
  const folder = await machine.temporaryFolder()
  const disks = await queryWmi(machine, 'Win32_LogicalDisk', { get: ['DeviceID', 'FreeSpace'], signal })
  const drive = folder.slice(0, 2).toUpperCase()
  const disk = disks.find(({ DeviceID }) => String(DeviceID).toUpperCase() === drive)
  const freeBytes = Number(disk?.FreeSpace ?? Number.NaN)
  if (!Number.isFinite(freeBytes)) {
    throw unanswered(machine, `the drive ${drive} tells no free space`)
  }
  return { freeBytes, folder }
}
